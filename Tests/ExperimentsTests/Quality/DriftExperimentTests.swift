import Experiments
import Foundation
import Results
import Testing

@Suite struct DriftExperimentTests {
    private func lab() throws -> RunnerTests.Lab {
        let lab = try RunnerTests.Lab()
        try lab.write("text.txt", QualityExperimentTests.text)
        try lab.write(
            "experiments/drift.yaml",
            """
            experiment: drift
            title: Drift
            profiles:
              quick:
                weights: [\(QualityExperimentTests.root)/datasets/checkpoints/llama-mini]
                texts: [text.txt]
                ways: [read, generated, followed]
                documents: 1
                base_scheme: fp16
                schemes: [fp16, affine-q8-g64, affine-q2-g64]
                read_tokens: 96
                prompt_tokens: 40
                decoded_tokens: 24
                mla_form: expanded
            """)
        return lab
    }

    @Test func everyPlaceOfEveryWay() throws {
        let table = try #require(try lab().run(["drift"]).file.table("drift"))
        let rows = (0..<table.rowCount).map { table.row($0) }
        #expect(rows.count == 3 * (95 + 24 + 24))
        for (way, places) in [("read", 95), ("generated", 24), ("followed", 24)] {
            var sums: [String: Double] = [:]
            for scheme in ["fp16", "affine-q8-g64", "affine-q2-g64"] {
                let own = rows.filter { $0["way"] == .string(way) && $0["scheme"] == .string(scheme) }
                #expect(own.map { $0["place"] } == (1...places).map { .int(Int64($0)) })
                sums[scheme] = own.reduce(0) { sum, row in
                    if case .double(let kld) = row["kld"] { sum + kld } else { .nan }
                }
            }
            // The same cache decodes the same; fewer bits err more.
            #expect(sums["fp16"] == 0)
            #expect(sums["affine-q8-g64"]! > 0 && sums["affine-q2-g64"]! > 10 * sums["affine-q8-g64"]!)
        }
    }

    /// A text that is decoded has the divergences of one that is prefilled.
    @Test func decodingAndPrefillingAgree() throws {
        let lab = try lab()
        let overrides = ["prompt_tokens=1", "decoded_tokens=60", "read_tokens=61", "schemes=affine-q2-g64"]
        let table = try #require(try lab.run(["drift"], overrides: overrides).file.table("drift"))
        func values(_ way: String) -> [Double] {
            (0..<table.rowCount).map { table.row($0) }.filter { $0["way"] == .string(way) }.compactMap {
                if case .double(let kld) = $0["kld"] { kld } else { nil }
            }
        }
        let (read, followed) = (values("read"), values("followed"))
        #expect(read.count == 60 && followed.count == 60)
        // A code may round to its neighbour, since sums run in another order.
        let (whole, steps) = (read.reduce(0, +), followed.reduce(0, +))
        #expect(abs(whole - steps) < 0.02 * whole)
    }

    @Test func refusesMoreThanTheModelTakes() throws {
        let lab = try lab()
        #expect {
            try lab.run(["drift"], overrides: ["decoded_tokens=4090"])
        } throws: {
            "\($0)" == "--set: 'decoded_tokens' needs 4130 tokens, more than the 4096 that llama-mini takes."
        }
    }
}
