import Foundation
import Tensors
import Testing

@Suite struct SafetensorsTests {
    private let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).safetensors"

    private func write() throws {
        let values: [Float] = [1, 2, 3, 4, 5, 6]
        let codes = [UInt8](0..<64)
        try SafetensorsWriter.write(
            to: path, metadata: ["made by": "a test", "ünï": "\"quoted\""],
            tensors: [
                .init(name: "codes", dtype: .u8, shape: [64]), .init(name: "values", dtype: .f32, shape: [2, 3]),
                .init(name: "none", dtype: .i64, shape: [0, 4]),
            ]
        ) { write in
            try codes.withUnsafeBytes(write)
            try values.withUnsafeBytes(write)
        }
    }

    @Test func roundTrip() throws {
        try write()
        defer { unlink(path) }
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["made by": "a test", "ünï": "\"quoted\""])
        let values = try file.entry("values")
        #expect(values.dtype == .f32 && values.shape == [2, 3])
        #expect(Array(file.bytes(of: values).bindMemory(to: Float.self)) == [1, 2, 3, 4, 5, 6])
        let codes = try file.entry("codes")
        #expect(codes.range.lowerBound % 64 == 0)
        #expect(Array(file.bytes(of: codes)) == [UInt8](0..<64))
        #expect(try file.entry("none").range.isEmpty)
        #expect(throws: TensorsError.missingTensor(file: path, tensor: "other")) { try file.entry("other") }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    /// The header is JSON whatever the texts are, for Foundation's reader too.
    @Test func headerTexts() throws {
        let metadata = ["\u{1}\t\n\u{1f}": "back\\slash / \"\u{7f}\u{2028}", "🧠": "é\u{301}", "": ""]
        try SafetensorsWriter.write(to: path, metadata: metadata, tensors: [.init(name: "a\"\\\n", dtype: .u8, shape: [0])]) { _ in }
        defer { unlink(path) }
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == metadata)
        #expect(try file.entry("a\"\\\n").shape == [0])
        let bytes = try #require(FileManager.default.contents(atPath: path))
        let object = try JSONSerialization.jsonObject(with: bytes[8...]) as? [String: Any]
        #expect(object?["__metadata__"] as? [String: String] == metadata)
    }

    /// Every truncation and every flipped bit of the header gives an error or a header that still holds.
    @Test func damageIsNoticedOrHarmless() throws {
        try write()
        defer { unlink(path) }
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in 0..<whole.count {
            withGuardedBytes(whole.prefix(length)) { bytes in
                #expect(throws: TensorsError.self) { try SafetensorsHeader(bytes: bytes, file: path) }
            }
        }
        for bit in 0..<(8 * 200) {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            withGuardedBytes(bytes) { bytes in
                guard let header = try? SafetensorsHeader(bytes: bytes, file: path) else { return }
                for entry in header.entries.values { #expect(bytes[entry.range].count == entry.range.count) }
            }
        }
    }

    @Test func aHugeHeaderIsRefused() throws {
        var bytes = Data([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])
        bytes.append(Data("{}".utf8))
        try bytes.write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        #expect {
            try SafetensorsFile(path: path)
        } throws: {
            "\($0)"
                == "\(path) is damaged at byte 0: the header claims 9223372036854775807 bytes and the file holds 10."
        }
    }

    @Test func aFileThatCannotBeWrittenSaysWhy() {
        #expect {
            try SafetensorsWriter.write(to: "/nowhere/at/all.safetensors", metadata: [:], tensors: []) { _ in }
        } throws: {
            "\($0)" == "Cannot write /nowhere/at/all.safetensors: No such file or directory."
        }
    }
}
