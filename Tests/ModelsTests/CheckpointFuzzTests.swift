import Foundation
import Models
import Tensors
import Testing

/// Whole checkpoints with damages in any of their files: each is refused with a reason or loads. Tensor files by
/// themselves are damaged in `TensorsTests.FuzzTests`, which says what `KVLAB_FUZZ_SECONDS` does.
@Suite(.serialized) struct CheckpointFuzzTests {
    @Test(arguments: [
        ("llama-f16-sharded", "config.json"), ("llama-f16-sharded", "model.safetensors.index.json"),
        ("llama-mlx-mixed", "config.json"), ("llama-mlx-q4", "model.safetensors"), ("llama-mixed", ""),
        ("deepseek-split", ""),
    ])
    func damaged(checkpoint: String, file: String) throws {
        let seconds = ProcessInfo.processInfo.environment["KVLAB_FUZZ_SECONDS"].flatMap(Double.init)
        let copy = try Fixtures.copy(checkpoint)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let damaged = file.isEmpty ? copy : copy + "/" + file
        let whole = try Data(contentsOf: URL(fileURLWithPath: damaged))
        var mutator = Mutator(
            seed: seconds == nil ? 1 : UInt64(Date().timeIntervalSince1970), samples: [Array(whole)])
        let end = Date(timeIntervalSinceNow: seconds ?? 0.4)
        var runs = 0
        var loaded = 0
        while Date() < end {
            runs += 1
            try Data(mutator.next()).write(to: URL(fileURLWithPath: damaged))
            do {
                _ = try Checkpoint.open(copy).model(bits: .eight, execution: Fixtures.execution)
                loaded += 1
            } catch is ModelsError {
            } catch is TensorsError {
            } catch { Issue.record("an error of another kind: \(error)") }
        }
        print("\(checkpoint)/\(file): \(runs) damaged, \(loaded) of them loaded")
        #expect(runs > 0)
    }
}
