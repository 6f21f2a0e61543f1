/// Reading UTF-8 scalar by scalar.
extension UnsafeBufferPointer<UInt8> {
    /// The scalar that starts at byte `at`, and its length in bytes. The text must be valid UTF-8: every text is
    /// checked once, where it enters the module.
    @inline(__always)
    func scalar(at: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(self[at])
        if first < 0x80 { return (first, 1) }
        let second = UInt32(self[at + 1]) & 0x3F
        if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
        let third = UInt32(self[at + 2]) & 0x3F
        if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
        return ((first & 0x07) << 18 | second << 12 | third << 6 | UInt32(self[at + 3]) & 0x3F, 4)
    }

    /// First byte of the scalar that ends before byte `end`; `end` > 0. The text must be valid UTF-8.
    func scalarStart(before end: Int) -> Int {
        var at = end - 1
        while self[at] & 0xC0 == 0x80 { at -= 1 }
        return at
    }

    /// Length in bytes of the valid multi-byte or ASCII sequence at `at`, or 0 where none starts there.
    ///
    /// Valid as in table 3-7 of the Unicode Standard: no surrogates, no overlong forms, nothing above U+10FFFF.
    func validScalarLength(at: Int) -> Int {
        let (expected, low, high) = UTF8Lead.expectation(self[at])
        guard expected > 1 else { return expected }
        guard at + expected <= count, self[at + 1] >= low, self[at + 1] <= high else { return 0 }
        for k in 2..<Swift.max(2, expected) where self[at + k] & 0xC0 != 0x80 { return 0 }
        return expected
    }
}

enum UTF8Lead {
    /// What may follow a first byte: the length of the whole sequence (0: none starts so) and the bounds of the second
    /// byte. Source: the Unicode Standard, table 3-7, well-formed UTF-8 byte sequences.
    @inline(__always)
    static func expectation(_ first: UInt8) -> (length: Int, low: UInt8, high: UInt8) {
        switch first {
        case 0x00...0x7F: (1, 0, 0)
        case 0xC2...0xDF: (2, 0x80, 0xBF)
        case 0xE0: (3, 0xA0, 0xBF)
        case 0xED: (3, 0x80, 0x9F)
        case 0xE1...0xEF: (3, 0x80, 0xBF)
        case 0xF0: (4, 0x90, 0xBF)
        case 0xF1...0xF3: (4, 0x80, 0xBF)
        case 0xF4: (4, 0x80, 0x8F)
        default: (0, 0, 0)
        }
    }
}

extension [UInt8] {
    /// Appends one scalar as UTF-8.
    mutating func appendScalar(_ value: UInt32) {
        if value < 0x80 {
            append(UInt8(value))
        } else if value < 0x800 {
            append(UInt8(0xC0 | value >> 6))
            append(UInt8(0x80 | value & 0x3F))
        } else if value < 0x10000 {
            append(UInt8(0xE0 | value >> 12))
            append(UInt8(0x80 | value >> 6 & 0x3F))
            append(UInt8(0x80 | value & 0x3F))
        } else {
            append(UInt8(0xF0 | value >> 18))
            append(UInt8(0x80 | value >> 12 & 0x3F))
            append(UInt8(0x80 | value >> 6 & 0x3F))
            append(UInt8(0x80 | value & 0x3F))
        }
    }
}
