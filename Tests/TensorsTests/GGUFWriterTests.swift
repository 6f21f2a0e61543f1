import Foundation
import Tensors
import Testing

@Suite struct GGUFWriterTests {
    private let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).gguf"

    /// Byte for byte the file that was put together by hand, but for the padding after the last tensor.
    @Test func writesWhatTheFormatSays() throws {
        let keys: [(key: String, value: GGUFWriter.Value)] = [
            ("general.architecture", .text("llama")), ("llama.block_count", .uint32(2)),
            ("llama.epsilon", .float32(1e-6)), ("tokenizer.ggml.tokens", .texts(["a", "é"])),
        ]
        let tensors = [
            GGUFWriter.Declaration(name: "norm", type: .f32, dimensions: [3]),
            GGUFWriter.Declaration(name: "matrix", type: .q8_0, dimensions: [32, 2]),
        ]
        var sample = GGUFBytes.sample
        let start = try withGuardedBytes(sample.bytes) { try GGUFHeader(bytes: $0, file: "f").dataStart }
        let data = Array(sample.bytes[start...])
        sample.pad()
        defer { unlink(path) }
        let size = try GGUFWriter.write(to: path, metadata: keys, tensors: tensors) { index, write in
            try (index == 0 ? Array(data[..<12]) : Array(data[32...])).withUnsafeBytes(write)
        }
        let written = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(written == sample.bytes && size == written.count)
    }

    @Test func everyKindOfValueComesBack() throws {
        defer { unlink(path) }
        try GGUFWriter.write(
            to: path,
            metadata: [
                ("flag", .bool(true)), ("numbers", .int32s([-1, 2])), ("floats", .float32s([0.5])),
                ("flags", .bools([true, false])), ("nothing", .texts([])),
            ], tensors: []
        ) { _, _ in }
        let file = try GGUFFile(path: path)
        #expect(try file.bool("flag") == true && file.integers("numbers") == [-1, 2] && file.floats("floats") == [0.5])
        #expect(try file.bools("flags") == [true, false] && file.texts("nothing") == [])
    }

    /// What fails leaves the old file and nothing else.
    @Test func isNeverThereHalf() throws {
        struct Stop: Error {}
        try Data("old".utf8).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        let tensor = GGUFWriter.Declaration(name: "a", type: .f32, dimensions: [4])
        #expect(throws: Stop.self) {
            try GGUFWriter.write(to: path, metadata: [], tensors: [tensor]) { _, _ in throw Stop() }
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        #expect(!FileManager.default.fileExists(atPath: path + ".part-\(getpid())"))
        #expect {
            try GGUFWriter.write(to: "/nowhere/a.gguf", metadata: [], tensors: []) { _, _ in }
        } throws: {
            "\($0)" == "Cannot write /nowhere/a.gguf: No such file or directory."
        }
    }
}
