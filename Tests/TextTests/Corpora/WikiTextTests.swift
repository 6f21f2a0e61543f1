import Foundation
import Testing
import Text

struct WikiTextTests {
    /// Two articles in the form of `wiki.test.raw`, written for this test.
    static let sample = """

         = Lighthouse =\u{20}
        \u{20}
         A lighthouse is a tower with a lamp @-@ room ; ships = safe in its light .\u{20}
        \u{20}
         = = Lamps = =\u{20}
        \u{20}
         Oil came first .\u{20}
        \u{20}
         = Ferry line 7 =\u{20}
        \u{20}
         It runs at dawn .\u{20}
         = Not a title , for no empty line is before it =\u{20}

        """

    @Test func articlesBeginAtTitles() throws {
        #expect(WikiText.isWikiText(Self.sample))
        let articles = try WikiText.articles(Self.sample, file: "f")
        #expect(articles.count == 2)
        #expect(articles.joined() == Self.sample)
        #expect(articles[0].hasPrefix("\n = Lighthouse = \n") && articles[0].hasSuffix(" Oil came first . \n \n"))
        #expect(articles[1].hasPrefix(" = Ferry line 7 = \n"))
    }

    @Test func otherTextsAreNotTaken() {
        for text in ["", "# Lighthouse\n\nA tower.\n", " = = Lamps = = \n", "a = b = c\n", "= =\n"] {
            #expect(!WikiText.isWikiText(text), "\(text)")
        }
    }

    @Test func theWordLevelEditionIsRefused() {
        let text = " = Lighthouse = \n \n A <unk> is a <unk> with a lamp . \n"
        #expect(
            throws: TextError.inconsistent(
                file: "wiki.test.tokens",
                problem: "2 of its words are <unk>, so it is the word-level edition; take wikitext-2-raw-v1")
        ) { try WikiText.articles(text, file: "wiki.test.tokens") }
        // One such word in 10,000 bytes is a word like others.
        let long = text.replacingOccurrences(of: "A <unk>", with: "A tower") + String(repeating: " light", count: 2000)
        #expect(throws: Never.self) { try WikiText.articles(long, file: "f") }
    }
}
