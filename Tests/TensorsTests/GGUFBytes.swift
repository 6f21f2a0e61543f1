/// A GGUF file put together by hand.
struct GGUFBytes {
    private(set) var bytes: [UInt8] = []

    init(version: UInt32 = 3, tensors: UInt64 = 0, keys: UInt64 = 0) {
        bytes += "GGUF".utf8
        put(version)
        put(tensors)
        put(keys)
    }

    mutating func put<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    mutating func put(_ text: String) {
        put(UInt64(text.utf8.count))
        bytes += text.utf8
    }

    /// A key with a value of `kind`, the value itself to follow.
    mutating func key(_ name: String, _ kind: UInt32) {
        put(name)
        put(kind)
    }

    mutating func tensor(_ name: String, _ dimensions: [UInt64], type: UInt32, offset: UInt64) {
        put(name)
        put(UInt32(dimensions.count))
        for dimension in dimensions { put(dimension) }
        put(type)
        put(offset)
    }

    mutating func pad(to alignment: Int = 32) {
        while bytes.count % alignment != 0 { bytes.append(0) }
    }

    mutating func append(_ more: some Sequence<UInt8>) { bytes += more }

    /// Two keys, a list of texts, and two tensors: F32 [3] and Q8_0 [32, 2].
    static var sample: GGUFBytes {
        var file = GGUFBytes(tensors: 2, keys: 4)
        file.key("general.architecture", 8)
        file.put("llama")
        file.key("llama.block_count", 4)
        file.put(UInt32(2))
        file.key("llama.epsilon", 6)
        file.put(Float(1e-6).bitPattern)
        file.key("tokenizer.ggml.tokens", 9)
        file.put(UInt32(8))
        file.put(UInt64(2))
        file.put("a")
        file.put("é")
        file.tensor("norm", [3], type: 0, offset: 0)
        file.tensor("matrix", [32, 2], type: 8, offset: 32)
        file.pad()
        for value: Float in [1, 2, 3] { file.put(value.bitPattern) }
        file.pad()
        for row in 0..<2 {
            file.put(UInt16(0x3c00))
            file.append((0..<32).map { UInt8($0 + row) })
        }
        return file
    }
}
