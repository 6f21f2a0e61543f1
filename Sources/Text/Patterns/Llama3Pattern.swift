/// The pattern of Llama 3 and, with single digits, of Qwen 2: contractions in any case; letters with at most one other
/// character before them; numbers of up to three digits (or one); other characters with a space before and line ends
/// after; white space up to a line end; white space.
///
/// Every scalar belongs to a match. Source: `tokenizer.json` of the published checkpoints.
struct Llama3Pattern: SplitPattern {
    /// How many digits one match may hold: 3 in Llama 3, 1 in Qwen 2.
    let digits: Int

    static func text(digits: Int) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + (digits == 1 ? "" : "{1,\(digits)}")
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    func nextMatch(in text: UTF8Text, from: Int, end: Int) -> Range<Int>? {
        from < end ? from..<matchEnd(in: text, from: from, end: end) : nil
    }

    private func matchEnd(in text: UTF8Text, from: Int, end: Int) -> Int {
        if text[from] == UInt8(ascii: "'"), let stop = contractionEnd(in: text, from: from, end: end) { return stop }
        let (first, firstLength) = text.scalar(at: from)
        let kind = CharacterClass.of(first)
        let second = from + firstLength

        if kind == .letter { return text.runEnd(of: .letter, from: second, end: end) }
        if kind == .number { return numberEnd(in: text, from: second, end: end) }
        if second < end, !Self.isLineEnd(first), CharacterClass.of(text.scalar(at: second).value) == .letter {
            return text.runEnd(of: .letter, from: second, end: end)
        }

        if kind != .space { return othersEnd(in: text, from: second, end: end) }
        if first == 0x20, second < end {
            let stop = text.otherRunEnd(from: second, end: end)
            if stop > second { return lineEnds(in: text, from: stop, end: end) }
        }
        return lastLineEnd(in: text, from: from, end: end) ?? text.spaceEnd(from: from, end: end)
    }

    /// `\p{N}{1,digits}` after its first digit.
    private func numberEnd(in text: UTF8Text, from: Int, end: Int) -> Int {
        var at = from
        for _ in 1..<max(digits, 1) where at < end {
            let (value, length) = text.scalar(at: at)
            guard CharacterClass.of(value) == .number else { break }
            at += length
        }
        return at
    }

    /// `[^\s\p{L}\p{N}]+[\r\n]*` after its first character.
    private func othersEnd(in text: UTF8Text, from: Int, end: Int) -> Int {
        lineEnds(in: text, from: text.otherRunEnd(from: from, end: end), end: end)
    }

    private func lineEnds(in text: UTF8Text, from: Int, end: Int) -> Int {
        var at = from
        while at < end, Self.isLineEnd(UInt32(text[at])) { at += 1 }
        return at
    }

    /// `\s*[\r\n]+`: the run of white space up to and with its last line end, if it has one.
    private func lastLineEnd(in text: UTF8Text, from: Int, end: Int) -> Int? {
        let stop = text.runEnd(of: .space, from: from, end: end)
        var at = stop
        while at > from {
            if Self.isLineEnd(UInt32(text[at - 1])) { return at }
            at -= 1
        }
        return nil
    }

    @inline(__always)
    private static func isLineEnd(_ value: UInt32) -> Bool { value == 0x0A || value == 0x0D }

    /// The contractions without regard to case; "s" also folds with ſ (U+017F).
    private func contractionEnd(in text: UTF8Text, from: Int, end: Int) -> Int? {
        guard from + 1 < end else { return nil }
        switch (text[from + 1] | 0x20, from + 2 < end ? text[from + 2] | 0x20 : 0) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _):
            return from + 2
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return from + 3
        default:
            let isLongS = from + 2 < end && text[from + 1] == 0xC5 && text[from + 2] == 0xBF
            return isLongS ? from + 3 : nil
        }
    }
}
