import Experiments
import Foundation
import Results
import Testing

/// A small run of `schemes` on the trained checkpoint that comes with kvlab.
@Suite struct SchemesExperimentTests {
    private func lab() throws -> RunnerTests.Lab {
        let lab = try RunnerTests.Lab()
        try lab.write("text.txt", QualityExperimentTests.text)
        try lab.write(
            "experiments/schemes.yaml",
            """
            experiment: schemes
            title: Schemes
            profiles:
              quick:
                weights: [\(QualityExperimentTests.root)/datasets/checkpoints/llama-mini]
                texts: [text.txt]
                base_scheme: fp16
                schemes: [affine-q4-g64, affine-q4-g128, "hadamard-64(affine-q2-g64)", "k=q8_0,v=q4_0", zipcache]
                window: 256
                stride: 64
                relative_interval: 0.001
                least_windows: 2
                seconds_per_scheme: 0
                tasks: [dialogue]
                documents: 2
                facts: 6
                questions: 3
                mla_form: expanded
                depth: 64
                generate: 2
                passes: 2
                seed: 1
            """)
        return lab
    }

    private func rows(_ table: ResultTable?) throws -> [Row] {
        let table = try #require(table)
        return (0..<table.rowCount).map { table.row($0) }
    }

    private func int(_ row: Row, _ key: String) -> Int64 { if case .int(let value) = row[key] { value } else { -1 } }
    private func double(_ row: Row, _ key: String) -> Double { if case .double(let value) = row[key] { value } else { .nan } }

    @Test func everySchemeHasItsRowsAndOneThatDoesNotFitHasAReason() throws {
        let file = try lab().run(["schemes"]).file
        let schemes = try rows(file.table("schemes"))
        #expect(schemes.count == 6)
        // Bits that are stored for each element, scales included: 256 tokens are a whole block. ZipCache has two tiles in it and
        // room for 129 rows of 152 bytes, of keys and of values.
        let bits: [String: Double] = [
            "fp16": 16, "affine-q4-g64": 4.5, "hadamard-64(affine-q2-g64)": 2.5, "k=q8_0,v=q4_0": 6.5, "zipcache": 13.375,
        ]
        for row in schemes {
            guard case .string(let scheme) = row["scheme"] else { Issue.record("a row without a scheme"); continue }
            guard let expected = bits[scheme] else {
                #expect(scheme == "affine-q4-g128" && int(row, "windows") == 0 && row["stopped_by"] == .string(""))
                #expect(
                    row["problem"]
                        == .string(
                            "Scheme 'affine-q4-g128' needs rows of a multiple of 128 elements, and these have 64; fp16 takes any."))
                continue
            }
            #expect(row["active_scheme"] == .string(scheme) && row["problem"] == .string(""))
            #expect(Double(int(row, "stored_bytes") * 8) / Double(int(row, "elements")) == expected)
            // Tiles of 3808 bytes of keys, 3840 and 128 of values.
            #expect(double(row, "encoded_bits") == (scheme == "zipcache" ? Double(3808 + 3840 + 128) / 2048 : expected))
            // A file has no room for rows to come.
            #expect(scheme == "zipcache" || int(row, "file_bytes") > int(row, "stored_bytes"))
            // No time: two windows, and no more.
            #expect(int(row, "windows") == 2 && row["stopped_by"] == .string("time"))
        }
        let windows = try rows(file.table("schemes_windows"))
        #expect(windows.count == 5 * 2)
        for row in windows {
            #expect(row["restored_difference"] == .double(0) && row["resaved_equal"] == .int(1))
            #expect(int(row, "draw") == 0 || int(row, "draw") == 1)
        }
        // All schemes have the same windows.
        #expect(Set(windows.map { int($0, "window") }).count == 2)
        func divergence(_ scheme: String) -> Double {
            windows.filter { $0["scheme"] == .string(scheme) }.reduce(0) { $0 + double($1, "kld_sum") }
        }
        #expect(divergence("fp16") < divergence("k=q8_0,v=q4_0"))
        #expect(divergence("affine-q4-g64") < divergence("hadamard-64(affine-q2-g64)"))
        let tokens = try rows(file.table("schemes_tokens"))
        #expect(Int64(tokens.count) == windows.reduce(0) { $0 + int($1, "tokens_scored") })
        #expect(try rows(file.table("schemes_answers")).count == 5 * 2 * 7)
        let speed = try rows(file.table("schemes_speed"))
        #expect(speed.count == 5 * 2)
        for row in speed {
            #expect(double(row, "encode_elements_per_second") > 0 && double(row, "decode_elements_per_second") > 0)
            #expect(double(row, "tokens_per_second") > 0)
        }
    }

    /// Half of the tokens in 2 bits are worse than none and better than all; which half matters at equal bytes of encoded rows, and
    /// attention knows more of it than chance.
    @Test func tokensOfTwoPrecisionsComeInTheirOrder() throws {
        func mixed(_ policy: String) -> String { "mixed(\(policy),64,affine-q4-g64,affine-q2-g64)" }
        let schemes = ["affine-q4-g64", mixed("saliency"), mixed("random"), "affine-q2-g64"]
        let root = QualityExperimentTests.root + "/datasets"
        let file = try lab().run(
            ["schemes"],
            overrides: [
                "weights=[\(root)/checkpoints/deepseek-mini]", "texts=[\(root)/articles]", "window=512", "stride=256", "passes=1",
                "documents=1", "schemes=[\(schemes.map { "\"\($0)\"" }.joined(separator: ", "))]",
            ]
        ).file
        let windows = try rows(file.table("schemes_windows"))
        let divergences = schemes.map { scheme in
            windows.filter { $0["scheme"] == .string(scheme) }.reduce(0) { $0 + double($1, "kld_sum") }
        }
        #expect(divergences[0] > 0 && divergences == divergences.sorted(), "\(divergences)")
        let encoded = try rows(file.table("schemes")).map { double($0, "encoded_bits") }
        #expect(encoded == [16, 4.5, 3.53125, 3.53125, 2.5])
    }

    /// A folder of checkpoints stands for all of them.
    @Test func aFolderOfCheckpointsIsMeasuredWhole() throws {
        let lab = try lab()
        let folder = lab.root + "/models"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["a", "b"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/\(name)",
                withDestinationPath: QualityExperimentTests.root + "/datasets/checkpoints/llama-mini")
        }
        let file = try lab.run(["schemes"], overrides: ["weights=[\(folder)]", "schemes=q4_0", "passes=1"]).file
        let models = try rows(file.table("schemes")).map { $0["model"] }
        #expect(models == [.string("a"), .string("a"), .string("b"), .string("b")])
    }

    @Test func refusesWhatCannotBeMeasured() throws {
        let lab = try lab()
        func message(_ overrides: String...) -> String {
            do {
                _ = try lab.run(["schemes"], overrides: overrides)
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(message("stride=257") == "--set: 'stride' is 257, more than the window of 256.")
        #expect(message("schemes=[q4_0, q4_0]") == "--set: 'schemes' holds q4_0 twice.")
        #expect(message("depth=4095") == "--set: 'depth' makes 4098 tokens, more than the 4096 that llama-mini takes.")
        #expect(message("window=5000").contains("'window' makes 5000 tokens, more than the 4096 that llama-mini takes."))
        #expect(message("schemes=[q4_O0]").hasPrefix("Unknown scheme 'q4_O0'. Did you mean 'q4_0'?"))
    }
}
