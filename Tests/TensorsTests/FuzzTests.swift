import Foundation
import Tensors
import Testing

/// Damaged files by the thousand: each must be refused with a reason, or read without touching a byte outside itself.
///
/// The seed is fixed. `KVLAB_FUZZ_SECONDS` runs each for as long as it says, and then the seed is the time.
@Suite(.serialized) struct FuzzTests {
    static let seconds = ProcessInfo.processInfo.environment["KVLAB_FUZZ_SECONDS"].flatMap(Double.init)

    /// Runs `read` on mutants of `samples`; it returns whether the file was accepted.
    private func fuzz(_ samples: [[UInt8]], _ read: (UnsafeRawBufferPointer) throws -> Void) -> (
        runs: Int, accepted: Int
    ) {
        var mutator = Mutator(seed: Self.seconds == nil ? 1 : UInt64(Date().timeIntervalSince1970), samples: samples)
        let end = Date(timeIntervalSinceNow: Self.seconds ?? 2)
        var runs = 0
        var accepted = 0
        while Date() < end {
            for _ in 0..<64 {
                runs += 1
                do {
                    try withGuardedBytes(mutator.next(), read)
                    accepted += 1
                } catch is TensorsError {
                } catch { Issue.record("an error of another kind: \(error)") }
            }
        }
        return (runs, accepted)
    }

    @Test func safetensors() throws {
        let metadata = #""__metadata__":{"format":"pt","é":"\u00e9\n"}"#
        let entries = [
            #""a.weight":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}"#,
            #""b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}"#,
            #""none":{"dtype":"I64","shape":[0,4],"data_offsets":[16,16]}"#,
        ]
        let samples = [entries, [metadata] + entries].map { parts in
            let json = "{" + parts.joined(separator: ",") + "}"
            return withUnsafeBytes(of: UInt64(json.utf8.count)) { Array($0) } + Array(json.utf8) + [UInt8](0..<16)
        }
        let (runs, accepted) = fuzz(samples) { bytes in
            let header = try SafetensorsHeader(bytes: bytes, file: "f")
            var sum: UInt8 = 0
            for entry in header.entries.values { for byte in bytes[entry.range] { sum &+= byte } }
            _ = sum
        }
        print("safetensors: \(runs) damaged files, \(accepted) of them still readable")
        #expect(accepted > 0 && accepted < runs)
    }

    @Test func gguf() throws {
        let types = try Data(contentsOf: URL(fileURLWithPath: GGMLTypeTests.fixtures + "/types.gguf"))
        let (runs, accepted) = fuzz([GGUFBytes.sample.bytes, Array(types)]) { bytes in
            let header = try GGUFHeader(bytes: bytes, file: "f")
            for tensor in header.tensors.values where GGMLType.readable.contains(tensor.type) {
                var row = [Float](repeating: 0, count: tensor.cols)
                let rowBytes = tensor.range.count / tensor.rows
                for index in [0, tensor.rows - 1] {
                    tensor.type.dequantize(
                        bytes.baseAddress! + tensor.range.lowerBound + index * rowBytes, count: tensor.cols, into: &row)
                }
            }
        }
        print("GGUF: \(runs) damaged files, \(accepted) of them still readable")
        #expect(accepted > 0 && accepted < runs)
    }
}
