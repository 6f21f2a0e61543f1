import Foundation
import Reports
import Results
import Testing

/// Tables 10 and 11, and the figures of the model specs.
@Suite struct FeatureTableTests {
    private func input(_ tables: [ResultTable]) -> ReportInput {
        ReportInput(
            results: SampleRun.file(tables), published: PublishedNumbers(folder: publishedFolder), resultsPath: "results.h5")
    }

    private func ours(_ tables: [ResultTable]) throws -> [ReportTable.Cell] {
        let definition = try #require(tableDefinitions.first { $0.id == "T11" })
        let table = try #require(try definition.tables(input(tables)).first)
        let row = try #require(table.rows.last)
        #expect(row.first == .text("kvlab") && row.last == .text("this run"))
        return Array(row[1...5])
    }

    /// Without rows nothing is claimed but what the machine record says.
    @Test func featuresNeedRows() throws {
        #expect(
            try ours([]) == [
                .missing("experiment 'capacity' was not run"), .missing("experiment 'batched' was not run"),
                .missing("experiment 'phases' was not run"), .text("Yes"), .missing("experiment 'ttft' was not run"),
            ])
    }

    @Test func rowsDecideFeatures() throws {
        func disk(same: Int64) throws -> [ReportTable.Cell] {
            var row = SampleRun.ttftRow(state: "warm", pass: 0, context: 4096, hit: 4095, seconds: 1)
            row["same_tokens"] = .int(same)
            let cold = SampleRun.ttftRow(state: "cold", pass: 0, context: 4096, seconds: 2)
            let pool = SampleRun.capacityRow(
                shape: "llama-quick", paperModel: "", scheme: "fp16", context: 4096, budget: SampleRun.gemmaBudget,
                bytesPerAgent: 1 << 30, measured: 9)
            return try ours([
                try SampleRun.table(SampleRun.ttftSchema, [cold, row]), try SampleRun.table(SampleRun.capacitySchema, [pool]),
            ])
        }
        let kept = try disk(same: 1)
        #expect(kept[0] == .text("Agent") && kept[4] == .text("Yes"))
        #expect(try disk(same: 0)[4] == .text("No"))
    }

    /// The figures of the models say what their configurations say.
    @Test func figuresOfTheSpecs() throws {
        func lines(_ id: String) throws -> [[String]] {
            let definition = try #require(figureDefinitions.first { $0.id == id })
            let figure = try #require(try definition.build(input([])).first)
            return figure.data.split(separator: "\n").dropFirst().map { $0.split(separator: "\t").map(String.init) }
        }
        let layers = try lines("F4")
        #expect(layers.count == 48 + 27 + 32)
        let gemma = layers.filter { $0[0] == "Gemma 3 12B" }
        #expect(gemma.filter { $0[1] == "all tokens" }.map { $0[2] } == ["6", "12", "18", "24", "30", "36", "42", "48"])
        #expect(gemma.count { $0[1] == "the last 1K tokens" } == 40)
        #expect(layers.filter { $0[0] == "DeepSeek-Coder-V2-Lite" }.map { $0[1] }.dropFirst().allSatisfy { $0.contains("experts") })
        // 0.5625 bytes for each of 8 × (256 + 256) elements.
        #expect(gemma.allSatisfy { $0[3] == "2304" })
        let blocks = try lines("F1")
        func height(_ model: String, _ scheme: String) -> Double {
            blocks.filter { $0[1] == model && $0[2] == scheme }.compactMap { Double($0[5]) }.max() ?? .nan
        }
        #expect(height("Llama 3.1 8B", "FP16") == 1024)
        for model in ["Gemma 3 12B", "DeepSeek-Coder-V2-Lite", "Llama 3.1 8B"] {
            #expect(height(model, "Q4") / height(model, "FP16") == 0.28125)
        }
    }

    /// Every claim and experiment that the artifact's description names is there.
    @Test func theArtifactNamesWhatThereIs() throws {
        let root = publishedFolder + "/../.."
        let text = try String(contentsOfFile: root + "/docs/artifact.md", encoding: .utf8)
        let ids = Set(try ClaimLedger(PublishedNumbers(folder: publishedFolder)).claims.map(\.id))
        let named = text.matches(of: /`(P[12]-[^`]+)`/).map { String($0.1) }
        #expect(named.count > 20)
        for id in named { #expect(ids.contains(id), "\(id)") }
        for file in text.matches(of: /experiments\/[a-z]+\.yaml/) {
            #expect(FileManager.default.fileExists(atPath: "\(root)/\(file.0)"), "\(file.0)")
        }
    }
}
