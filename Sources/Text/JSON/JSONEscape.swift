/// Backslash escapes in JSON strings.
enum JSONEscape {
    /// Checks the escape that starts at the backslash `at`, a surrogate pair as one, and returns the byte after it.
    static func end(of at: Int, in bytes: UnsafeBufferPointer<UInt8>) throws(JSONParser.Failure) -> Int {
        guard at + 1 < bytes.count else {
            throw JSONParser.Failure(offset: bytes.count, problem: "the document ends too early")
        }
        switch bytes[at + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at + 2
        case UInt8(ascii: "u"):
            let first = try unit(at: at + 2, in: bytes)
            guard first & 0xF800 == 0xD800 else { return at + 6 }
            let isPair =
                first < 0xDC00 && at + 7 < bytes.count && bytes[at + 6] == UInt8(ascii: "\\")
                && bytes[at + 7] == UInt8(ascii: "u")
            guard isPair, try unit(at: at + 8, in: bytes) & 0xFC00 == 0xDC00 else {
                throw JSONParser.Failure(offset: at, problem: "a \\u escape is half of a surrogate pair")
            }
            return at + 12
        default:
            throw JSONParser.Failure(offset: at, problem: "an unknown escape stands")
        }
    }

    /// The text of a string whose escapes ``end(of:in:)`` has checked.
    static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "\\") else {
                out.append(bytes[at])
                at += 1
                continue
            }
            switch bytes[at + 1] {
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "u"):
                var value = UInt32(hex(bytes, at + 2))
                at += 4
                if value & 0xFC00 == 0xD800 {
                    value = 0x10000 + (value & 0x3FF) << 10 + UInt32(hex(bytes, at + 4)) & 0x3FF
                    at += 6
                }
                out.appendScalar(value)
            default: out.append(bytes[at + 1])
            }
            at += 2
        }
        return out
    }

    private static func unit(
        at start: Int, in bytes: UnsafeBufferPointer<UInt8>
    ) throws(JSONParser.Failure) -> Int {
        guard start + 4 <= bytes.count else {
            throw JSONParser.Failure(offset: bytes.count, problem: "the document ends too early")
        }
        let value = hex(bytes, start)
        guard value >= 0 else {
            throw JSONParser.Failure(offset: start, problem: "four hexadecimal digits were expected")
        }
        return value
    }

    /// Four hexadecimal digits as a number, or −1.
    private static func hex(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var value = 0
        for k in start..<start + 4 {
            switch bytes[k] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | (Int(bytes[k]) - 0x30)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | (Int(bytes[k]) - 0x57)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | (Int(bytes[k]) - 0x37)
            default: return -1
            }
        }
        return value
    }
}
