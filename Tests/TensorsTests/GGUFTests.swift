import Foundation
import Tensors
import Testing

@Suite struct GGUFTests {
    private let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).gguf"

    private func problem(_ bytes: [UInt8]) -> String {
        do {
            return try withGuardedBytes(bytes) {
                _ = try GGUFHeader(bytes: $0, file: "f")
                return "none"
            }
        } catch { return "\(error)" }
    }

    @Test func reads() throws {
        try Data(GGUFBytes.sample.bytes).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        let file = try GGUFFile(path: path)
        #expect(file.version == 3 && file.tensors.count == 2)
        #expect(try file.text("general.architecture") == "llama")
        #expect(try file.integer("llama.block_count") == 2)
        #expect(try file.number("llama.epsilon") == 1e-6)
        #expect(try file.texts("tokenizer.ggml.tokens") == ["a", "é"])
        #expect(try file.text("absent") == nil)
        #expect(try file.texts("absent") == nil)
        let matrix = try file.tensor("matrix")
        #expect(matrix.type == .q8_0 && matrix.cols == 32 && matrix.rows == 2 && matrix.range.lowerBound % 32 == 0)
        var values = [Float](repeating: 0, count: 64)
        matrix.type.dequantize(file.bytes(of: matrix).baseAddress!, count: 64, into: &values)
        #expect(values[31] == 31 && values[32] == 1 && values[63] == 32)
        #expect(throws: TensorsError.missingTensor(file: path, tensor: "other")) { try file.tensor("other") }
        #expect {
            try file.integer("general.architecture")
        } throws: {
            "\($0)" == "\(path): key 'general.architecture' is a text, expected a whole number."
        }
        #expect {
            try file.floats("tokenizer.ggml.tokens")
        } throws: {
            "\($0)" == "\(path): key 'tokenizer.ggml.tokens' is a list of 2, "
                + "expected a list of 32-bit numbers, of at most 2097152."
        }
    }

    /// Every truncation is an error.
    @Test func truncation() throws {
        let whole = GGUFBytes.sample.bytes
        #expect(problem(whole) == "none")
        for length in 0..<whole.count {
            #expect(problem(Array(whole[..<length])) != "none", "\(length) bytes")
        }
    }

    @Test func versions() {
        #expect(problem(GGUFBytes(version: 2).bytes) == "none")
        #expect(problem(GGUFBytes(version: 1).bytes) == "f is not supported: GGUF version 1; versions 2 and 3 are.")
        #expect(problem(GGUFBytes(version: 4).bytes) == "f is not supported: GGUF version 4; versions 2 and 3 are.")
        #expect(
            problem(GGUFBytes(version: UInt32(3).byteSwapped).bytes)
                == "f is not supported: a big-endian GGUF file (version 3); convert it to little-endian.")
        #expect(
            problem(Array("GGML".utf8) + GGUFBytes().bytes[4...])
                == "f is damaged at byte 0: it does not start with 'GGUF'.")
    }

    /// Counts and lengths are held against the file before anything is allocated.
    @Test func absurdLengths() {
        #expect(
            problem(GGUFBytes(tensors: .max).bytes)
                == "f is damaged at byte 8: the header claims 18446744073709551615 tensors, more than the file can hold or anybody needs."
        )
        #expect(problem(GGUFBytes(keys: 1 << 40).bytes).contains("byte 16: the header claims 1099511627776 keys"))
        var file = GGUFBytes(keys: 1)
        file.put(UInt64(1) << 62)
        file.append([UInt8](repeating: 0, count: 32))
        #expect(problem(file.bytes).contains("byte 24: key 0 claims 4611686018427387904 bytes of text"))
        for kind: UInt32 in [0, 6, 8] {
            var file = GGUFBytes(keys: 1)
            file.key("k", 9)
            file.put(kind)
            file.put(UInt64(1) << 61)
            file.append([UInt8](repeating: 0, count: 32))
            #expect(problem(file.bytes).contains("byte 41: key 'k' claims 2305843009213693952 values"))
        }
    }

    @Test func keys() {
        func file(_ kind: UInt32, _ fill: (inout GGUFBytes) -> Void) -> [UInt8] {
            var file = GGUFBytes(keys: 1)
            file.key("k", kind)
            fill(&file)
            file.pad()
            return file.bytes
        }
        #expect(problem(file(7) { $0.put(UInt8(2)) }).hasSuffix("key 'k' is neither true nor false."))
        #expect(problem(file(13) { $0.put(UInt64(0)) }).hasSuffix("key 'k' has the unknown value type 13."))
        #expect(
            problem(
                file(9) {
                    $0.put(UInt32(9)); $0.put(UInt64(0))
                }
            ).hasSuffix("key 'k' is a list of lists."))
        #expect(
            problem(
                file(8) {
                    $0.put(UInt64(1)); $0.put(UInt8(0xff))
                }
            ).hasSuffix("the text of key 'k' is not UTF-8."))
        var twice = GGUFBytes(keys: 2)
        for _ in 0..<2 {
            twice.key("k", 0)
            twice.put(UInt8(1))
        }
        #expect(problem(twice.bytes).hasSuffix("key 'k' comes twice."))
        var aligned = GGUFBytes(tensors: 0, keys: 1)
        aligned.key("general.alignment", 4)
        aligned.put(UInt32(24))
        #expect(problem(aligned.bytes).hasSuffix("general.alignment is not a power of two of at most 1 MiB."))
    }

    @Test func tensors() {
        func file(_ dimensions: [UInt64], type: UInt32 = 0, offset: UInt64 = 0, data: Int = 64) -> [UInt8] {
            var file = GGUFBytes(tensors: 1)
            file.tensor("t", dimensions, type: type, offset: offset)
            file.pad()
            file.append([UInt8](repeating: 0, count: data))
            return file.bytes
        }
        #expect(problem(file([16])) == "none")
        #expect(
            problem(file([4, 4], offset: 32)).hasSuffix(
                "tensor 't' starts at 32 of the data, and the tensors before it end at 0."))
        #expect(
            problem(file([17])) == "f is damaged at byte 33: tensor 't' lies at bytes 64..<132 and the file has 128.")
        #expect(problem(file([])).hasSuffix("tensor 't' has 0 dimensions, not 1 to 4."))
        #expect(problem(file([1, 1, 1, 1, 1])).hasSuffix("tensor 't' has 5 dimensions, not 1 to 4."))
        #expect(problem(file([16], type: 99)).hasSuffix("tensor 't' has the unknown type 99."))
        #expect(
            problem(file([16], type: 8)).hasSuffix(
                "tensor 't' has rows of 16 elements, not whole blocks of Q8_0."))
        #expect(
            problem(file([1 << 40, 1 << 40])).hasSuffix(
                "tensor 't' has the impossible dimensions [1099511627776, 1099511627776]."))
        #expect(problem(file([16, 0])).hasSuffix("tensor 't' has the impossible dimensions [16, 0]."))
        var short = GGUFBytes(tensors: 2)
        short.tensor("t", [1 << 20], type: 0, offset: 0)
        short.tensor("u", [8], type: 0, offset: 4 << 20)
        short.pad()
        #expect(problem(short.bytes).hasSuffix("tensor 'u' starts at 4194304 of the data, and the file ends at 96."))
        var twice = GGUFBytes(tensors: 2)
        twice.tensor("t", [8], type: 0, offset: 0)
        twice.tensor("t", [8], type: 0, offset: 32)
        twice.pad()
        twice.append([UInt8](repeating: 0, count: 64))
        #expect(problem(twice.bytes).hasSuffix("tensor 't' comes twice."))
    }
}
