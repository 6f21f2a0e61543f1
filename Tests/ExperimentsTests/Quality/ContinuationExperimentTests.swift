import Experiments
import Foundation
import Results
import Testing

@Suite struct ContinuationExperimentTests {
    @Test func evictionsChangeNothing() throws {
        let lab = try RunnerTests.Lab()
        try lab.write("text.txt", QualityExperimentTests.text)
        try lab.write(
            "experiments/continuation.yaml",
            """
            experiment: continuation
            title: Evictions
            profiles:
              quick:
                weights: [\(QualityExperimentTests.root)/datasets/checkpoints/llama-mini]
                text: text.txt
                schemes: [fp16, affine-q4-g64]
                prompt_tokens: 250
                tokens: 60
                evict_every: 9
                mla_form: expanded
            """)
        let table = try #require(try lab.run(["continuation"]).file.table("continuation"))
        #expect(table.strings("scheme") == ["fp16", "affine-q4-g64"])
        #expect(table.ints("tokens") == [60, 60] && table.ints("same_tokens") == [60, 60])
        #expect(table.ints("evictions") == [6, 6] && table.ints("resaved_equal") == [1, 1])
        #expect(table.doubles("largest_difference") == [0, 0])
        #expect {
            try lab.run(["continuation"], overrides: ["tokens=4000"])
        } throws: {
            "\($0)" == "--set: 'tokens' is 4000 after a prompt of 250, more than the 4096 that llama-mini takes."
        }
    }
}
