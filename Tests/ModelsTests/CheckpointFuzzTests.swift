import Foundation
import Models
import Tensors
import Testing

/// Whole checkpoints with a damage in one of their files: each is refused with a reason or loads. Tensor files by
/// themselves are damaged more and faster in `TensorsTests.FuzzTests`, which says what `KVLAB_FUZZ_SECONDS` does.
@Suite(.serialized) struct CheckpointFuzzTests {
    @Test(arguments: [
        ("llama-f16-sharded", "config.json"), ("llama-f16-sharded", "model.safetensors.index.json"),
        ("llama-mlx-mixed", "config.json"), ("llama-mlx-q4", "model.safetensors"), ("llama-mixed", ""),
        ("deepseek-split", ""),
    ])
    func damaged(checkpoint: String, file: String) throws {
        let seconds = ProcessInfo.processInfo.environment["KVLAB_FUZZ_SECONDS"].flatMap(Double.init)
        var damage = Damage(seed: seconds == nil ? 1 : UInt64(Date().timeIntervalSince1970))
        let copy = try CheckpointFixtures.copy(checkpoint)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        let url = URL(fileURLWithPath: file.isEmpty ? copy : copy + "/" + file)
        let whole = Array(try Data(contentsOf: url))
        let end = Date(timeIntervalSinceNow: seconds ?? 0.4)
        var runs = 0
        var loaded = 0
        while Date() < end {
            runs += 1
            try Data(damage.apply(to: whole)).write(to: url)
            do {
                _ = try Checkpoint.open(copy).model(bits: .eight, execution: CheckpointFixtures.execution)
                loaded += 1
            } catch is ModelsError {
            } catch is TensorsError {
            } catch { Issue.record("an error of another kind: \(error)") }
        }
        print("\(checkpoint)/\(file): \(runs) damaged, \(loaded) of them loaded")
        #expect(runs > 0)
    }

    /// One damage at a time: a flipped bit, a cut, a part left out, or other digits.
    private struct Damage {
        private var random: SplitMix64

        init(seed: UInt64) { random = SplitMix64(state: seed) }

        mutating func apply(to whole: [UInt8]) -> [UInt8] {
            var bytes = whole
            // Heads are most of what can break.
            let place = Int.random(
                in: 0..<(Bool.random(using: &random) ? min(4096, bytes.count) : bytes.count), using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeSubrange(place...)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + Int.random(in: 0..<16, using: &random)))
            default:
                let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
                let start = bytes[place...].firstIndex(where: digits.contains) ?? place
                let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
                let numbers = ["0", "1", "-1", "7", "1e9", "16777216", "4294967296", "9223372036854775807", "1e400"]
                bytes.replaceSubrange(start..<end, with: Array(numbers.randomElement(using: &random)!.utf8))
            }
            return bytes
        }
    }

    /// SplitMix64.
    private struct SplitMix64: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }
}
