/// Turns any bytes into valid UTF-8, piece by piece: each maximal part of an ill-formed sequence becomes one U+FFFD.
///
/// This is the practice of the Unicode Standard (section 3.9, "U+FFFD Substitution of Maximal Subparts") and the result
/// of Python's `bytes.decode("utf-8", "replace")` and Rust's `String::from_utf8_lossy`, held by `UTF8RepairTests`.
/// A sequence that may still be completed is kept until more bytes come, so no half character is ever given out.
package struct UTF8Repair: Sendable {
    private var pending: [UInt8] = []
    /// Length that the pending sequence will have when it is complete.
    private var expected = 0

    static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// Appends to `out` what is certain after these bytes.
    mutating func feed(_ bytes: some Sequence<UInt8>, into out: inout [UInt8]) {
        for byte in bytes { feed(byte, into: &out) }
    }

    private mutating func feed(_ byte: UInt8, into out: inout [UInt8]) {
        if pending.isEmpty {
            start(byte, into: &out)
            return
        }
        let (_, low, high) = UTF8Lead.expectation(pending[0])
        let fits = pending.count == 1 ? (low...high).contains(byte) : byte & 0xC0 == 0x80
        guard fits else {
            finish(into: &out)
            start(byte, into: &out)
            return
        }
        pending.append(byte)
        if pending.count == expected {
            out.append(contentsOf: pending)
            pending.removeAll(keepingCapacity: true)
        }
    }

    private mutating func start(_ byte: UInt8, into out: inout [UInt8]) {
        expected = UTF8Lead.expectation(byte).length
        switch expected {
        case 0: out.append(contentsOf: Self.replacement)
        case 1: out.append(byte)
        default: pending.append(byte)
        }
    }

    /// Ends the text: a sequence that was never completed becomes U+FFFD.
    mutating func finish(into out: inout [UInt8]) {
        guard !pending.isEmpty else { return }
        pending.removeAll(keepingCapacity: true)
        out.append(contentsOf: Self.replacement)
    }

    /// The whole text at once.
    package static func repaired(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var repair = UTF8Repair()
        repair.feed(bytes, into: &out)
        repair.finish(into: &out)
        return out
    }
}
