import Testing
import Text

/// Every scalar against the libraries that tokenizers use, written down in classes.json.
struct CharacterClassTests {
    @Test(arguments: [
        ("letter", CharacterClass.letter), ("number", .number), ("punctuation", .punctuation), ("symbol", .symbol),
        ("mark", .mark), ("space", .space),
    ])
    func oniguruma(_ name: String, _ kind: CharacterClass) throws {
        try compare(name) { CharacterClass.of($0) == kind }
    }

    @Test func digits() throws { try compare("numeric", PredicatePattern.numeric.contains) }

    @Test func punctuation() throws { try compare("tokenizersPunctuation", PredicatePattern.punctuation.contains) }

    @Test func words() throws { try compare("word", WordCharacter.contains) }

    private func compare(_ name: String, _ contains: (UInt32) -> Bool) throws {
        var isListed = [Bool](repeating: false, count: 0x110000)
        for range in try Fixtures.document("classes.json").required(name).elements() {
            let bounds = try range.elements().map { try $0.integer() }
            for value in bounds[0]...bounds[1] { isListed[value] = true }
        }
        let wrong = isListed.indices.filter { !(0xD800...0xDFFF).contains($0) && contains(UInt32($0)) != isListed[$0] }
        #expect(wrong.isEmpty, "\(wrong.prefix(20).map { String($0, radix: 16) })")
    }
}
