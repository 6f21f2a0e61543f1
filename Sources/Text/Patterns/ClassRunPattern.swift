/// A run of characters of one set, with or without one white space before it: `\p{N}{1,3}`, `[\r\n]`, `\s?\p{L}+`,
/// `[0-9][0-9][0-9]`. The split patterns of DeepSeek are a list of these.
///
/// The text of the pattern is read, not compared, because published copies of the long DeepSeek class differ in
/// normalization; what is not of this form is no `ClassRunPattern`.
struct ClassRunPattern: SplitPattern {
    let set: CharacterSetPattern
    let takesSpaceBefore: Bool
    let minimum: Int
    /// `Int.max` where the run may be of any length.
    let maximum: Int

    init?(_ pattern: String) {
        var reader = PatternReader(pattern)
        takesSpaceBefore = reader.skip(#"\s?"#)
        guard let set = CharacterSetPattern(&reader) else { return nil }
        self.set = set
        if reader.skip("+") {
            (minimum, maximum) = (1, Int.max)
        } else if reader.skip("{") {
            guard let low = reader.number(), reader.skip(","), let high = reader.number(), reader.skip("}"), low > 0,
                low <= high
            else { return nil }
            (minimum, maximum) = (low, high)
        } else {
            var times = 1
            while !reader.isAtEnd {
                guard CharacterSetPattern(&reader) == set else { return nil }
                times += 1
            }
            (minimum, maximum) = (times, times)
        }
        guard reader.isAtEnd else { return nil }
    }

    func nextMatch(in text: UTF8Text, from: Int, end: Int) -> Range<Int>? {
        var at = from
        while at < end {
            if let stop = matchEnd(in: text, from: at, end: end) { return at..<stop }
            at += text.scalar(at: at).length
        }
        return nil
    }

    private func matchEnd(in text: UTF8Text, from: Int, end: Int) -> Int? {
        if takesSpaceBefore {
            let (value, length) = text.scalar(at: from)
            if CharacterClass.of(value) == .space, let stop = runEnd(in: text, from: from + length, end: end) {
                return stop
            }
        }
        return runEnd(in: text, from: from, end: end)
    }

    private func runEnd(in text: UTF8Text, from: Int, end: Int) -> Int? {
        var at = from
        var length = 0
        while at < end, length < maximum {
            let (value, bytes) = text.scalar(at: at)
            guard set.contains(value) else { break }
            at += bytes
            length += 1
        }
        return length >= minimum ? at : nil
    }
}
