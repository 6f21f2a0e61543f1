/// `\w` of the Rust `regex` crate, which decides what a word is for added tokens with `single_word`.
///
/// Source: Unicode Technical Standard 18, annex C, as of Unicode 16.0: alphabetic, mark, decimal number, connector
/// punctuation or join control. `CharacterClassTests` compares every scalar with tokenizers 0.23.
package enum WordCharacter {
    package static func contains(_ value: UInt32) -> Bool {
        guard let scalar = Unicode.Scalar(value), scalar.isAssigned(asOf: 16) else { return false }
        let properties = scalar.properties
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }
}
