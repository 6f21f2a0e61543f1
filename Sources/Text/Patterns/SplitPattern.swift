/// A text in UTF-8 that is known to be valid.
package typealias UTF8Text = UnsafeBufferPointer<UInt8>

/// What a pre-tokenizer cuts a text at: one of the known patterns, each a scanner written by hand that reads the text
/// once.
package protocol SplitPattern: Sendable {
    /// The first match that starts at or after `from`; it is never empty. Offsets are bytes at scalar boundaries, and
    /// nothing outside `from..<end` is looked at, as if the text began and ended there.
    func nextMatch(in text: UTF8Text, from: Int, end: Int) -> Range<Int>?
}

extension UTF8Text {
    /// Where the run of scalars of these classes that starts at `from` ends; `from` where there is none.
    @inline(__always)
    func runEnd(of classes: CharacterClass, from: Int, end: Int) -> Int {
        var at = from
        while at < end {
            let (value, length) = scalar(at: at)
            if CharacterClass.of(value).isDisjoint(with: classes) { break }
            at += length
        }
        return at
    }

    /// Where the run of scalars that are neither letter, number nor white space ends.
    @inline(__always)
    func otherRunEnd(from: Int, end: Int) -> Int {
        var at = from
        while at < end {
            let (value, length) = scalar(at: at)
            if !CharacterClass.of(value).isDisjoint(with: [.letter, .number, .space]) { break }
            at += length
        }
        return at
    }

    /// `\s+(?!\S)|\s+` at `from`, where white space stands: the run of white space, less its last scalar if something
    /// else follows and the run has more than one.
    func spaceEnd(from: Int, end: Int) -> Int {
        let stop = runEnd(of: .space, from: from, end: end)
        guard stop < end else { return stop }
        let last = scalarStart(before: stop)
        return last > from ? last : stop
    }
}
