import Experiments
import Foundation
import Results
import Testing

@Suite struct PerplexityExperimentTests {
    @Test func thePapersWindowsScore7935TokensOnceEach() {
        let documents = [Array(1...5000), Array(5001...9000)].map { $0.map(Int32.init) }
        let windows = PerplexityProtocol.paper(windows: 30).cut(documents, start: 0)
        #expect(windows.count == 30 && windows.allSatisfy { $0.tokens.count == 512 })
        let counted = windows.flatMap { window in window.counted.map { window.tokens[$0] } }
        #expect(counted == (1...7935).map(Int32.init))
        // One start token, where the text begins.
        #expect(windows.flatMap(\.tokens).filter { $0 == 0 }.count == 1 && windows[0].tokens[0] == 0)
    }

    @Test func correctedWindowsKeepToTheirDocument() {
        let documents = [Array(1...10), Array(101...103), [], Array(201...207)].map { $0.map(Int32.init) }
        let form = PerplexityProtocol.corrected(TextWindows(window: 6, stride: 3), windowsPerDocument: 2)
        let windows = form.cut(documents, start: 0)
        // Each begins with the start token, in the place of a token that does not count; short documents are windows.
        #expect(
            windows == [
                .init(tokens: [0, 1, 2, 3, 4, 5], counted: 1..<6), .init(tokens: [0, 4, 5, 6, 7, 8], counted: 3..<6),
                .init(tokens: [0, 101, 102, 103], counted: 1..<4), .init(tokens: [0, 201, 202, 203, 204, 205], counted: 1..<6),
            ])
        #expect(form.longestStretch(documents, start: 0) == 11)
        // Without a start token the first token of a document is what nothing predicts.
        #expect(form.cut([[1, 2, 3, 4, 5, 6]], start: nil) == [.init(tokens: [1, 2, 3, 4, 5, 6], counted: 1..<6)])
    }

    private func lab() throws -> RunnerTests.Lab {
        let lab = try RunnerTests.Lab()
        try FileManager.default.createDirectory(atPath: lab.root + "/texts", withIntermediateDirectories: true)
        for name in ["a.md", "b.txt"] { try lab.write("texts/\(name)", QualityExperimentTests.text) }
        try lab.write("texts/README.md", "Not a text.")
        try lab.write(
            "experiments/perplexity.yaml",
            """
            experiment: perplexity
            title: Perplexity
            profiles:
              quick:
                weights: [\(QualityExperimentTests.root)/datasets/checkpoints/llama-mini]
                text: [texts]
                text_if_there: [nothing.txt]
                base_scheme: fp16
                schemes: [affine-q8-g64, affine-q2-g64]
                mla_form: expanded
                protocols: [paper, corrected]
                paper_windows: 2
                window: 200
                stride: 100
                windows_per_document: 2
            """)
        return lab
    }

    @Test func bothProtocols() throws {
        let table = try #require(try lab().run(["perplexity"]).file.table("perplexity"))
        let rows = (0..<table.rowCount).map { table.row($0) }
        // Two windows of the joined text, and two of each of two documents, with two schemes.
        #expect(rows.count == 2 * (2 + 4))
        var loss: [String: Double] = [:]
        for row in rows {
            guard case .string(let form) = row["protocol"], case .string(let scheme) = row["scheme"],
                case .double(let sum) = row["loss_sum"], case .double(let base) = row["base_loss_sum"],
                case .double(let first) = row["first_kld"], case .int(let window) = row["window"]
            else { Issue.record("a row without values"); continue }
            loss["\(form) \(scheme)", default: 0] += sum
            loss["\(form) fp16", default: 0] += base / 2
            #expect(row["model"] == .string("llama-mini") && row["paper_model"] == .string("llama3.1-8b"))
            #expect(row["same_shape_as"] == .string("") && row["sliding_window_tokens"] == .int(0))
            #expect(row["documents"] == .int(2) && row["text"] == .string("texts"))
            let isPaper = form == "paper"
            #expect(row["window_tokens"] == .int(isPaper ? 512 : 200) && row["step_tokens"] == .int(isPaper ? 512 : 128))
            #expect(row["start_token"] == .string(isPaper ? "text" : "window"))
            let isFirst = isPaper ? window == 0 : window % 2 == 0
            #expect(row["tokens_scored"] == .int(isFirst ? (isPaper ? 511 : 199) : (isPaper ? 256 : 100)))
            // The first position sees its own row only, and reads it as it is stored.
            #expect(isFirst ? first > 0 : first.isNaN)
        }
        for form in ["paper", "corrected"] {
            let values = ["fp16", "affine-q8-g64", "affine-q2-g64"].map { loss["\(form) \($0)"] ?? .nan }
            #expect(abs(values[1] - values[0]) < 0.01 * values[0] && values[2] > 1.01 * values[0])
        }
    }

    @Test func refusesWhatCannotBeMeasured() throws {
        let lab = try lab()
        try lab.write("short.txt", "A few words only.")
        try lab.write("wiki.txt", " = Lighthouse = \n \n A <unk> . \n")
        func message(_ overrides: String...) -> String {
            do {
                _ = try lab.run(["perplexity"], overrides: overrides)
                return "no error"
            } catch { return "\(error)".replacingOccurrences(of: lab.root, with: "ROOT") }
        }
        let short = message("text=short.txt")
        #expect(
            short.hasPrefix("ROOT/short.txt has ")
                && short.hasSuffix(" tokens, fewer than one window of 512; give a longer text or a smaller 'window'."))
        #expect(message("text=short.txt", "protocols=corrected").contains(" tokens, fewer than one window of 200; "))
        #expect(message("text=nothing.txt") == "Cannot read ROOT/nothing.txt: there is no such file or folder.")
        #expect(message("text=wiki.txt").hasPrefix("'ROOT/wiki.txt': 1 of its words are <unk>"))
        #expect(message("text=[texts, texts]") == "--set: 'text' and 'text_if_there' hold two texts named texts.")
        #expect(message("window=5000") == "--set: 'window' is 5000, more than the 4096 that llama-mini takes.")
        #expect(message("stride=201") == "--set: 'stride' is 201, more than the window of 200.")
    }

    @Test func aFolderOfCheckpointsStandsForAllOfThem() throws {
        let lab = try lab()
        let folder = lab.root + "/checkpoints"
        try FileManager.default.createDirectory(atPath: folder + "/nothing", withIntermediateDirectories: true)
        for name in ["b", "a"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/\(name)",
                withDestinationPath: QualityExperimentTests.root + "/datasets/checkpoints/llama-mini")
        }
        let overrides = ["weights=[\(folder)]", "protocols=corrected", "windows_per_document=1", "schemes=fp16"]
        let table = try #require(try lab.run(["perplexity"], overrides: overrides).file.table("perplexity"))
        #expect(table.strings("model") == ["a", "a", "b", "b"])
        #expect(table.doubles("kld_sum") == [0, 0, 0, 0])
    }
}
