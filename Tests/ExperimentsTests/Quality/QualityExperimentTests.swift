import Experiments
import Foundation
import Results
import Tensors
import Testing

/// Small runs of `kld` and `tasks` on the trained checkpoint that comes with kvlab.
@Suite struct QualityExperimentTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
        .standardized.path
    static let text = String(
        repeating: "The mean of many draws settles near the mean of the law that they come from, and its spread shrinks. ",
        count: 20)

    private func lab() throws -> RunnerTests.Lab {
        let lab = try RunnerTests.Lab()
        try lab.write("text.txt", Self.text)
        try lab.write(
            "experiments/kld.yaml",
            """
            experiment: kld
            title: Predictions
            profiles:
              quick:
                weights: [\(Self.root)/datasets/checkpoints/llama-mini]
                texts: [text.txt]
                base_scheme: fp16
                schemes: [fp16, affine-q8-g64, affine-q4-g64, affine-q2-g64]
                window: 96
                stride: 48
                windows_per_text: 3
                mla_form: expanded
                restored: yes
                noise_floor: yes
            """)
        try lab.write(
            "experiments/tasks.yaml",
            """
            experiment: tasks
            title: Answers
            profiles:
              quick:
                weights: [\(Self.root)/datasets/checkpoints/llama-mini]
                schemes: [fp16, affine-q2-g64]
                tasks: [dialogue, arithmetic]
                documents: 4
                problems: 4
                facts: 6
                questions: 3
                mla_form: expanded
                seed: 1
                gsm8k_if_there: gsm8k.jsonl
                gsm8k_problems: 2
                gsm8k_tokens: 12
            """)
        return lab
    }

    @Test func divergenceGrowsAsBitsShrinkAndRestoredEqualsInProcess() throws {
        let table = try #require(try lab().run(["kld"]).file.table("kld"))
        let rows = (0..<table.rowCount).map { table.row($0) }
        // Four schemes and the noise floor, three windows each.
        #expect(rows.count == 5 * 3)
        var sums: [String: Double] = [:]
        for row in rows {
            guard case .string(let scheme) = row["scheme"], case .string(let compute) = row["compute"],
                case .double(let kld) = row["kld_sum"], case .double(let loss) = row["loss_sum"]
            else { Issue.record("a row without values"); continue }
            #expect(row["tokens_scored"] == .int(row["window"] == .int(0) ? 95 : 48))
            #expect(row["restored_difference"] == .double(0) && row["resaved_equal"] == .int(1))
            #expect(row["injected_difference"] == .double(0))
            #expect(row["restored_tokens"] == .int(48))
            #expect(loss > 0 && kld >= 0)
            sums["\(scheme) \(compute)", default: 0] += kld
        }
        #expect(sums["fp16 reference"] == 0)
        let order = ["fp16 fast", "affine-q8-g64 reference", "affine-q4-g64 reference", "affine-q2-g64 reference"]
        let values = order.map { sums[$0] ?? .nan }
        #expect(values[0] >= 0 && values[1] > values[0] && values[2] > 10 * values[1] && values[3] > 5 * values[2])
    }

    @Test func everyAnswerIsARow() throws {
        let table = try #require(try lab().run(["tasks"]).file.table("tasks"))
        #expect(table.rowCount == 2 * 4 * (7 + 1))
        // The checkpoint hands on every number and place of a dialogue with an unquantized cache.
        let rows = (0..<table.rowCount).map { table.row($0) }.filter { $0["task"] == .string("dialogue") }
        let plain = rows.filter { $0["scheme"] == .string("fp16") }
        #expect(rows.count == 2 * 28 && plain.count == 28 && plain.allSatisfy { $0["right"] == .int(1) })
    }

    /// Two problems in the form of GSM8K are answered with both schemes, in twelve tokens at most, and a third one is left.
    @Test func gsm8kIsATaskWhereItIsThere() throws {
        let lab = try lab()
        let problem = #"{"question": "Ada has 3 pens and buys 4. How many has she?", "answer": "<<3+4=7>>7\n#### 7"}"#
        try lab.write("gsm8k.jsonl", "\(problem)\n\(problem)\n\(problem)\n")
        let table = try #require(try lab.run(["tasks"], overrides: ["tasks=[dialogue]", "documents=1"]).file.table("tasks"))
        let rows = (0..<table.rowCount).map { table.row($0) }.filter { $0["task"] == .string("gsm8k") }
        #expect(rows.map { $0["scheme"] } == ["fp16", "fp16", "affine-q2-g64", "affine-q2-g64"].map { .string($0) })
        #expect(rows.map { $0["document"] } == [0, 1, 0, 1].map { .int($0) })
        // The same problem has the same answer twice.
        #expect(rows[0]["right"] == rows[1]["right"] && rows[2]["right"] == rows[3]["right"])
        try lab.write("gsm8k.jsonl", "{}\n")
        #expect { try lab.run(["tasks"]) } throws: { "\($0)".hasSuffix("gsm8k.jsonl': line 1 has no 'question' and 'answer'.") }
    }

    @Test func refusesWhatCannotBeMeasured() throws {
        let lab = try lab()
        func message(_ name: String, _ overrides: String...) -> String {
            do {
                _ = try lab.run([name], overrides: overrides)
                return "no error"
            } catch { return "\(error)".replacingOccurrences(of: lab.root, with: "ROOT") }
        }
        #expect(
            message("kld", "window=4000", "stride=4000").hasSuffix(
                "fewer than one window of 4000; give a longer text or a smaller 'window'."))
        #expect(message("kld", "window=5000") == "--set: 'window' is 5000, more than the 4096 that llama-mini takes.")
        #expect(message("kld", "stride=97") == "--set: 'stride' is 97, more than the window of 96.")
        #expect(message("kld", "texts=[nothing.txt]") == "Cannot read ROOT/nothing.txt: there is no such file or folder.")
        #expect(message("kld", "schemes=[affine-q4-g128]").contains("affine-q4-g128"))
        #expect(
            message("tasks", "questions=7") == "The task setting 'questions' must lie in 1...6, and is 7...7.")
        #expect(
            "\(ExperimentsError.vocabularyMismatch(weights: "W", tokenizer: 9, model: 8))"
                == "The tokenizer of W has 9 ids and its model 8; they do not belong together.")
        #expect(
            "\(ExperimentsError.notFinite(scheme: "fp16", position: 3))"
                == "With the cache scheme fp16 a logit at position 3 of a window is not finite; "
                + "check the weights, or leave the scheme out.")
    }

    @Test func aCheckpointWithoutATokenizerIsRefused() throws {
        let lab = try lab()
        let folder = try copy(in: lab)
        try FileManager.default.removeItem(atPath: folder + "/tokenizer.json")
        #expect {
            try lab.run(["kld"], overrides: ["weights=[\(folder)]"])
        } throws: {
            "\($0)".contains("has no tokenizer")
        }
    }

    /// A copy of the checkpoint, to be damaged.
    private func copy(in lab: RunnerTests.Lab) throws -> String {
        let folder = lab.root + "/model"
        try FileManager.default.copyItem(atPath: Self.root + "/datasets/checkpoints/llama-mini", toPath: folder)
        return folder
    }

    @Test func aTokenizerWithMoreIdsThanTheModelIsRefused() throws {
        let lab = try lab()
        let folder = try copy(in: lab)
        let file = URL(fileURLWithPath: folder + "/tokenizer.json")
        let text = try String(contentsOf: file, encoding: .utf8)
        let extra = #"{"id": 4096, "content": "<|more|>", "single_word": false, "lstrip": false, "rstrip": false, "#
            + #""normalized": false, "special": true}"#
        let place = try #require(text.range(of: #""added_tokens":\s*\["#, options: .regularExpression))
        try Data(text.replacingCharacters(in: place, with: "\"added_tokens\": [\(extra),").utf8).write(to: file)
        #expect(
            throws: ExperimentsError.vocabularyMismatch(weights: folder, tokenizer: 4097, model: 4096)
        ) { try lab.run(["kld"], overrides: ["weights=[\(folder)]"]) }
    }

    /// Weights that are numbers, and so large that what a layer adds is none: the layer and the position are named.
    @Test func aModelThatGivesNoNumbersIsRefused() throws {
        let lab = try lab()
        let folder = try copy(in: lab)
        let path = folder + "/model.safetensors"
        let range = try SafetensorsFile(path: path).entry("model.layers.3.mlp.down_proj.weight").range
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        // 3e38 in bfloat16, in every element.
        for offset in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            (bytes[offset], bytes[offset + 1]) = (0x61, 0x7F)
        }
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect {
            try lab.run(["kld"], overrides: ["weights=[\(folder)]"])
        } throws: {
            "\($0)" == "Layer 3 of model gives NaN or infinity at position 0 of the fp16 cache; its weights or this cache"
                + " are damaged."
        }
    }
}
