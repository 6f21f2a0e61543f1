import Experiments
import Foundation
import Results
import Testing

@Suite struct SensitivityExperimentTests {
    private func lab() throws -> RunnerTests.Lab {
        let lab = try RunnerTests.Lab()
        try lab.write("text.txt", QualityExperimentTests.text)
        try lab.write(
            "experiments/sensitivity.yaml",
            """
            experiment: sensitivity
            title: Layers
            profiles:
              quick:
                weights: [\(QualityExperimentTests.root)/datasets/checkpoints/llama-mini]
                texts: [text.txt]
                base_scheme: fp16
                schemes: [affine-q2-g64]
                window: 96
                windows_per_text: 2
                maximum_texts: 1
                head_texts: 1
                mla_form: expanded
            """)
        return lab
    }

    @Test func everyLayerItsKeysItsValuesAndBoth() throws {
        let table = try #require(try lab().run(["sensitivity"]).file.table("sensitivity"))
        let all = (0..<table.rowCount).map { table.row($0) }
        let (heads, rows) = (all.filter { $0["head"] != .int(-1) }, all.filter { $0["head"] == .int(-1) })
        // Six layers of two heads, their keys and their values, in two windows.
        #expect(heads.count == 2 * 6 * 2 * 2)
        // Six layers, three parts of each, and all layers at once, in two windows.
        #expect(rows.count == 2 * (6 * 3 + 1))
        var sums: [String: Double] = [:]
        for row in rows {
            guard case .int(let layer) = row["layer"], case .string(let part) = row["part"],
                case .double(let kld) = row["kld_sum"], case .string(let stored) = row["stored_as"]
            else { Issue.record("a row without values"); continue }
            let scheme = ["keys": "k=affine-q2-g64,v=fp16", "values": "k=fp16,v=affine-q2-g64"][part] ?? "affine-q2-g64"
            #expect(stored == (layer < 0 ? scheme : "layers \(layer): \(scheme); rest: fp16"))
            #expect(kld > 0)
            sums["\(layer) \(part)", default: 0] += kld
        }
        // Two bits everywhere are worse than two bits anywhere.
        let whole = try #require(sums["-1 both"])
        #expect(sums.allSatisfy { $0.key == "-1 both" || $0.value < whole })
        // One head changes something, and does not change what its whole layer does.
        for row in heads {
            guard case .double(let kld) = row["kld_sum"] else { Issue.record("a row without a value"); continue }
            #expect(kld > 0 && kld < whole)
            #expect(row["stored_as"] == .string("fp16"))
        }
    }

    @Test func rowsOfAHeadCannotWait() throws {
        let lab = try lab()
        #expect {
            try lab.run(["sensitivity"], overrides: ["schemes=[kivi-2]"])
        } throws: {
            "\($0)".hasPrefix("--set: 'schemes' holds 'kivi-2', which leaves its newest rows in 16-bit floats: single heads need")
        }
    }

    @Test func layersAreNotGivenByHand() throws {
        let lab = try lab()
        #expect {
            try lab.run(["sensitivity"], overrides: ["schemes=['layers 0: fp16; rest: affine-q4-g64']"])
        } throws: {
            "\($0)".hasPrefix("--set: 'schemes' holds 'layers 0: fp16; rest: affine-q4-g64': here a scheme is one for all layers")
        }
    }
}
