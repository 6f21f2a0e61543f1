import Caches
import Engine
import Models
import Results
import Schemes

extension SchemesExperiment {
    /// One sample of the speed of every scheme that suits the model, in the order of the pass. Each is run once before, for
    /// warming up.
    func measureSpeed(
        _ cell: String, _ subject: Subject, _ pass: Int, _ order: [CacheScheme]
    ) throws -> [(schema: TableSchema, row: Row)] {
        let engine = try subject.model.engine(.fast, like: laboratory.execution)
        var rows: [(schema: TableSchema, row: Row)] = []
        for (place, scheme) in order.enumerated() {
            do {
                let speed = try measureSpeed(of: scheme, engine)
                let own: Row = [
                    "cell": .string(cell), "model": .string(subject.model.checkpoint.name), "pass": .int(Int64(pass)),
                    "place": .int(Int64(place)),
                ]
                rows.append((Self.speedSchema, own.merging(speed) { $1 }))
            } catch is SchemeError {
                // The scheme's own cell says why.
                continue
            }
        }
        return rows
    }

    private func measureSpeed(of scheme: CacheScheme, _ engine: Engine) throws -> Row {
        let layout = try CacheLayout(spec: engine.model.cacheSpec, scheme: scheme)
        let codec = try CodecBench(engine: engine, layout: layout, seed: settings.seed)
        let bench = try SpeedBench(engine: engine, scheme: scheme, seed: settings.seed)
        let test = SpeedBench.Test.generate(tokens: settings.generated, depth: settings.depth, batch: 1)
        _ = (try codec.run(), try bench.run(test))
        let (encode, decode) = try codec.run()
        return [
            "weights": .string(engine.model.weightsLabel), "scheme": .string(scheme.description),
            "compute": .string(engine.execution.compute.rawValue),
            "threads": .int(Int64(engine.execution.workers.threadCount)), "depth": .int(Int64(settings.depth)),
            "generated": .int(Int64(settings.generated)), "encode_elements_per_second": .double(encode),
            "decode_elements_per_second": .double(decode), "tokens_per_second": .double(try bench.run(test)),
        ]
    }
}
