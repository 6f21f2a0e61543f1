import Testing
import Text

/// Each pattern on its own against the pieces that tokenizers (Oniguruma) cut.
struct PatternTests {
    @Test func piecesEqualTokenizers() throws {
        let document = try Fixtures.document("patterns.json")
        let texts = try document.required("texts").elements().map { Array(try $0.string().utf8) }
        for item in try document.required("patterns").elements() {
            let name = try item.required("pattern").string()
            let pattern = try #require(KnownPatterns.pattern(name), "\(name)")
            for (text, golden) in zip(texts, try item.required("pieces").elements()) {
                let lengths = try golden.elements().map { try $0.integer() }
                #expect(
                    pieces(text, pattern) == lengths,
                    "\(name) on \(String(decoding: text, as: UTF8.self).debugDescription)")
            }
        }
    }

    @Test(arguments: [
        #"\p{L}*"#, "[a-z", "[^]", "[a&&b]", "[[:alpha:]]", #"\d+"#, "a+", #"\p{L}+|\p{N}+"#, "[z-a]", "",
    ])
    func unknownPatternsAreRefused(_ pattern: String) {
        #expect(KnownPatterns.pattern(pattern) == nil)
    }

    /// A megabyte of white space, of one letter or of apostrophes takes no longer than other text.
    @Test(arguments: [" ", "\n", "a", "'", " \n"])
    func longRuns(_ unit: String) throws {
        let text = Array(String(repeating: unit, count: 1_000_000 / unit.count).utf8) + [0x78]
        let document = try Fixtures.document("patterns.json")
        for item in try document.required("patterns").elements() {
            let pattern = try #require(KnownPatterns.pattern(try item.required("pattern").string()))
            #expect(pieces(text, pattern).reduce(0, +) == text.count)
        }
    }

    private func pieces(_ text: [UInt8], _ pattern: any SplitPattern) -> [Int] {
        text.withUnsafeBufferPointer { buffer in
            var lengths: [Int] = []
            var at = 0
            while let match = pattern.nextMatch(in: buffer, from: at, end: buffer.count) {
                if match.lowerBound > at { lengths.append(match.lowerBound - at) }
                lengths.append(match.count)
                at = match.upperBound
            }
            if at < buffer.count { lengths.append(buffer.count - at) }
            return lengths
        }
    }
}
