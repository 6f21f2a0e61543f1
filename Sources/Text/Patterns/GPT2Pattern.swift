/// The pattern of GPT-2, also built into the `ByteLevel` pre-tokenizer: English contractions in lower case; letters,
/// numbers or other characters with at most one space before them; white space.
///
/// Every scalar belongs to a match. Source: `encoder.py` of the GPT-2 release.
struct GPT2Pattern: SplitPattern {
    static let text = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    func nextMatch(in text: UTF8Text, from: Int, end: Int) -> Range<Int>? {
        from < end ? from..<matchEnd(in: text, from: from, end: end) : nil
    }

    private func matchEnd(in text: UTF8Text, from: Int, end: Int) -> Int {
        if text[from] == UInt8(ascii: "'"), let stop = contractionEnd(in: text, from: from, end: end) { return stop }
        let start = text[from] == UInt8(ascii: " ") ? from + 1 : from
        guard start < end else { return end }  // a last space
        let (value, length) = text.scalar(at: start)
        let kind = CharacterClass.of(value)
        if kind == .letter { return text.runEnd(of: .letter, from: start + length, end: end) }
        if kind == .number { return text.runEnd(of: .number, from: start + length, end: end) }
        if kind != .space { return text.otherRunEnd(from: start + length, end: end) }
        return text.spaceEnd(from: from, end: end)
    }

    private func contractionEnd(in text: UTF8Text, from: Int, end: Int) -> Int? {
        guard from + 1 < end else { return nil }
        switch (text[from + 1], from + 2 < end ? text[from + 2] : 0) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _):
            return from + 2
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return from + 3
        default:
            return nil
        }
    }
}
