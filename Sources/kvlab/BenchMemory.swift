import Engine
import Experiments

/// What the memory of a `kvlab bench` went to. The peak of the process is weights, caches, one fixed workspace and little
/// else, held by `CheckpointCommandTests.benchOfACheckpoint`.
struct BenchMemory: Encodable {
    let peakResidentBytes: Int
    let weightBytes: Int
    /// The caches of the test that needed most.
    let cacheBytes: Int
    /// What a step of any length computes in, allocated once.
    let workspaceBytes: Int

    init(engine: Engine, benches: [SpeedBench]) {
        peakResidentBytes = ProcessFacts.peakResidentBytes()
        weightBytes = engine.model.weightBytes
        cacheBytes = benches.map(\.peakCacheBytes).max() ?? 0
        workspaceBytes = engine.model.workspaceBytes
    }

    var sentence: String {
        let rest = peakResidentBytes - weightBytes - cacheBytes - workspaceBytes
        return "Memory: \(mebibytes(peakResidentBytes)) MiB at the peak: weights \(mebibytes(weightBytes)), caches "
            + "\(mebibytes(cacheBytes)), workspace \(mebibytes(workspaceBytes)), all else \(mebibytes(rest))."
    }

    private func mebibytes(_ bytes: Int) -> Int { Int((Double(bytes) / Double(1 << 20)).rounded()) }
}
