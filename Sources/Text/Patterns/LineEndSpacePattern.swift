/// `\s+$`: white space up to the end of the text or, because Oniguruma's `$` also stands before a line feed, up to the
/// last line feed of a run of white space.
struct LineEndSpacePattern: SplitPattern {
    static let text = #"\s+$"#

    func nextMatch(in text: UTF8Text, from: Int, end: Int) -> Range<Int>? {
        var at = from
        while at < end {
            let (value, length) = text.scalar(at: at)
            guard CharacterClass.of(value) == .space else {
                at += length
                continue
            }
            let stop = text.runEnd(of: .space, from: at + length, end: end)
            if stop == end { return at..<stop }
            var feed = stop - 1
            while feed > at, text[feed] != 0x0A { feed -= 1 }
            if feed > at { return at..<feed }
            at = stop
        }
        return nil
    }
}
