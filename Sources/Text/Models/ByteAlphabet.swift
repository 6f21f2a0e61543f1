/// The printable characters that byte-level models write for bytes: the byte itself where it is printable in Latin-1,
/// otherwise the next free scalar from U+0100 on.
///
/// Source: `bytes_to_unicode` in `encoder.py` of the GPT-2 release.
enum ByteAlphabet {
    /// Byte → scalar.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (UInt32(0)...255).map { byte in
            let isPrintable = (0x21...0x7E).contains(byte) || (0xA1...0xFF).contains(byte) && byte != 0xAD
            guard !isPrintable else { return byte }
            defer { next += 1 }
            return next
        }
    }()

    /// Byte → its character in UTF-8.
    static let texts: [[UInt8]] = scalars.map { scalar in
        var text: [UInt8] = []
        text.appendScalar(scalar)
        return text
    }

    /// Scalar → byte, −1 for scalars that are not in the alphabet. They all lie below U+0144.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
        return bytes
    }()

    /// A text in the alphabet.
    static func encode(_ text: UTF8Text) -> [UInt8] {
        let texts = texts
        var out: [UInt8] = []
        out.reserveCapacity(text.count * 2)
        for byte in text { out.append(contentsOf: texts[Int(byte)]) }
        return out
    }

    /// The bytes that a token in the alphabet stands for, or nil where a character of it is not in the alphabet.
    static func decode(_ token: UTF8Text) -> [UInt8]? {
        let bytes = bytes
        var out: [UInt8] = []
        out.reserveCapacity(token.count)
        var at = 0
        while at < token.count {
            let (value, length) = token.scalar(at: at)
            guard value < bytes.count, bytes[Int(value)] >= 0 else { return nil }
            out.append(UInt8(bytes[Int(value)]))
            at += length
        }
        return out
    }
}
