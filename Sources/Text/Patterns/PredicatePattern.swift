/// Single scalars for which a function says yes: the patterns of the `Digits` and `Punctuation` pre-tokenizers.
package struct PredicatePattern: SplitPattern {
    package let contains: @Sendable (UInt32) -> Bool

    package func nextMatch(in text: UTF8Text, from: Int, end: Int) -> Range<Int>? {
        var at = from
        while at < end {
            let (value, length) = text.scalar(at: at)
            if contains(value) { return at..<at + length }
            at += length
        }
        return nil
    }

    /// Rust's `char::is_numeric`, as of Unicode 17.0: a number of any category.
    package static let numeric = PredicatePattern { value in
        if value < 0x80 { return value &- 0x30 < 10 }
        guard let scalar = Unicode.Scalar(value), scalar.isAssigned(asOf: 17) else { return false }
        switch scalar.properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: return true
        default: return false
        }
    }

    /// ASCII punctuation and symbols, and punctuation as of Unicode 8.0, the version of the `unicode_categories` crate;
    /// U+166D and U+111C9 have changed their category since.
    package static let punctuation = PredicatePattern { value in
        let kind = CharacterClass.of(value)
        if value < 0x80 { return !kind.isDisjoint(with: [.punctuation, .symbol]) }
        if value == 0x166D || value == 0x111C9 { return true }
        guard kind == .punctuation, let scalar = Unicode.Scalar(value) else { return false }
        return scalar.isAssigned(asOf: 8)
    }
}
