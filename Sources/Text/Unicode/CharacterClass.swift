/// The Unicode classes that pre-tokenizer patterns ask for. A scalar has at most one of the first five; white space
/// may also be none of them.
///
/// They are those of Unicode 16.0, which Oniguruma, the regular-expression library of Hugging Face tokenizers, uses
/// (tokenizers 0.23): a scalar that is newer has no class. `CharacterClassTests` compares every scalar with it.
package struct CharacterClass: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let letter = CharacterClass(rawValue: 1)
    package static let number = CharacterClass(rawValue: 2)
    package static let punctuation = CharacterClass(rawValue: 4)
    package static let symbol = CharacterClass(rawValue: 8)
    package static let mark = CharacterClass(rawValue: 16)
    package static let space = CharacterClass(rawValue: 32)

    /// The class of a scalar.
    @inline(__always)
    package static func of(_ value: UInt32) -> CharacterClass {
        value < 0x80 ? ascii(value) : beyondASCII(value)
    }

    @inline(__always)
    private static func ascii(_ value: UInt32) -> CharacterClass {
        if (value | 0x20) &- 0x61 < 26 { return .letter }
        if value &- 0x30 < 10 { return .number }
        if value == 0x20 || value &- 0x09 < 5 { return .space }
        if value < 0x20 || value == 0x7F { return [] }
        switch value {
        case 0x24, 0x2B, 0x3C, 0x3D, 0x3E, 0x5E, 0x60, 0x7C, 0x7E: return .symbol  // $+<=>^`|~
        default: return .punctuation
        }
    }

    private static func beyondASCII(_ value: UInt32) -> CharacterClass {
        if value &- 0x4E00 < 0x5200 { return .letter }  // the CJK unified ideographs, all older than Unicode 16
        guard let scalar = Unicode.Scalar(value), scalar.isAssigned(asOf: 16) else { return [] }
        let properties = scalar.properties
        if properties.isWhitespace { return .space }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return .letter
        case .decimalNumber, .letterNumber, .otherNumber:
            return .number
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
            .finalPunctuation, .otherPunctuation:
            return .punctuation
        case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol:
            return .symbol
        case .nonspacingMark, .spacingMark, .enclosingMark:
            return .mark
        default:
            return []
        }
    }
}

extension Unicode.Scalar {
    /// Whether the scalar was assigned in this Unicode version (its first number) or an older one.
    func isAssigned(asOf version: Int) -> Bool {
        guard let age = properties.age else { return false }
        return age.major < version || age.major == version && age.minor == 0
    }
}
