import Foundation
import Fuzzing
import Tensors
import Testing

/// Damaged tensor files by the thousand; `Fuzz` says what is a finding. Nothing outside the file may be read: unreadable
/// memory comes after it.
@Suite(.serialized) struct FuzzTests {
    @Test func safetensors() async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
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
            FuzzTests.run("safetensors", samples) { bytes in
                let header = try SafetensorsHeader(bytes: bytes, file: "f")
                var sum: UInt8 = 0
                for entry in header.entries.values { for byte in bytes[entry.range] { sum &+= byte } }
                _ = sum
            }
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    @Test func gguf() async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            let types = try Data(contentsOf: URL(fileURLWithPath: GGMLTypeTests.fixtures + "/types.gguf"))
            FuzzTests.run("GGUF", [GGUFBytes.sample.bytes, Array(types)]) { bytes in
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
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    static func run(_ name: String, _ samples: [[UInt8]], _ read: (UnsafeRawBufferPointer) throws -> Void) {
        Fuzz(name, samples: samples, seconds: 2).run(isRefusal: { $0 is TensorsError }) {
            try withGuardedBytes($0, read)
        }
    }
}
