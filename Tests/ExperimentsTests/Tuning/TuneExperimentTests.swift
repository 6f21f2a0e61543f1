import Experiments
import Foundation
import Results
import Testing

@Suite struct TuneExperimentTests {
    private func lab() throws -> RunnerTests.Lab {
        let lab = try RunnerTests.Lab()
        try FileManager.default.createDirectory(atPath: lab.root + "/texts", withIntermediateDirectories: true)
        let text = QualityExperimentTests.text
        for (name, part) in [("a", text.prefix(text.count / 2)), ("b", text.suffix(text.count / 2))] {
            try lab.write("texts/\(name).txt", String(part))
        }
        try lab.write(
            "experiments/tune.yaml",
            """
            experiment: tune
            title: Maps
            profiles:
              quick:
                weights: [\(QualityExperimentTests.root)/datasets/checkpoints/llama-mini]
                texts: [texts]
                base_scheme: fp16
                candidates: [affine-q2-g64, affine-q8-g64]
                budgets: [5.5, 8.5]
                window: 64
                windows_per_text: 1
                mla_form: expanded
            """)
        return lab
    }

    /// The map for half the way between two and eight bits gives six of twelve things eight: those that were worst in two.
    @Test func theWorstGetMore() throws {
        let file = try lab().run(["tune"]).file
        let search = try #require(file.table("tune_search"))
        #expect(search.rowCount == 6 * 2 * 2)
        let maps = try #require(file.table("tune"))
        // Two candidates and two maps, in the one window of the second text.
        #expect(maps.rowCount == 4)
        let kinds = try #require(maps.strings("kind")), schemes = try #require(maps.strings("scheme"))
        let bits = try #require(maps.doubles("bits_per_element")), predicted = try #require(maps.doubles("predicted_kld"))
        #expect(kinds == ["uniform", "uniform", "map", "map"])
        #expect(bits == [2.5, 8.5, 5.5, 8.5])
        #expect(schemes[3] == "affine-q8-g64" && schemes[2].hasPrefix("layers ") && schemes[2].contains("; rest: "))

        let parts = try #require(search.strings("part")), own = try #require(search.strings("scheme"))
        let layers = try #require(search.ints("layer")), kld = try #require(search.doubles("kld"))
        var gains: [(item: String, gain: Double)] = []
        for coarse in own.indices where own[coarse] == "affine-q2-g64" {
            let fine = try #require(own.indices.first { own[$0] != own[coarse] && layers[$0] == layers[coarse] && parts[$0] == parts[coarse] })
            gains.append(("\(layers[coarse]) \(parts[coarse])", kld[coarse] - kld[fine]))
        }
        let best = gains.sorted { $0.gain > $1.gain }.prefix(6).reduce(0) { $0 + $1.gain }
        #expect(abs(predicted[0] - best - predicted[2]) < 1e-12)
    }

    @Test func badBudgetsAndCandidates() throws {
        for (override, said) in [
            ("budgets=[2]", "--set: 'budgets' holds 2.0 bits, and the smallest candidates take more in llama-mini"),
            ("candidates=['k=q8_0,v=q4_0']", "a candidate is one scheme, for keys or for values of a layer"),
            ("candidates=[q8_0, q8_0]", "holds q8_0 twice"),
            ("texts=[texts/a.txt]", "holds one text: one is to search on and another to judge on"),
        ] {
            #expect { try lab().run(["tune"], overrides: [override]) } throws: { "\($0)".contains(said) }
        }
    }
}
