/// A fixed, non-empty text.
struct LiteralPattern: SplitPattern {
    let literal: [UInt8]

    func nextMatch(in text: UTF8Text, from: Int, end: Int) -> Range<Int>? {
        var at = from
        while at + literal.count <= end {
            if text[at] == literal[0], matches(text, at) { return at..<at + literal.count }
            at += 1
        }
        return nil
    }

    private func matches(_ text: UTF8Text, _ at: Int) -> Bool {
        for k in 1..<max(1, literal.count) where text[at + k] != literal[k] { return false }
        return true
    }
}
