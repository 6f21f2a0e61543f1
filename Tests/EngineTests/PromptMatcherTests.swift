import Caches
import Engine
import Foundation
import Models
import Testing
import Text

@Suite struct PromptMatcherTests {
    private static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(
            directory: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("Fixtures/tokenizers/\(name)"))
    }

    private static let names = ["llama3", "gemma", "deepseek-v2", "gpt2", "llama2"]
    private static let text = "The quick brown fox, naïve as ever, jumps over the lazy dog. 狐狸 跳. "

    /// What is made of a prompt is always its text, whatever the cache holds; kinds are those of the texts.
    @Test(arguments: names)
    func kinds(name: String) throws {
        let tokenizer = try Self.tokenizer(name)
        let matcher = PromptMatcher(tokenizer: tokenizer)
        let cached = tokenizer.encode(Self.text)
        let lead = tokenizer.encode("").count
        func check(_ prompt: String, _ match: PromptMatch, atLeast shared: Int) {
            let result = matcher.match(cached: cached, text: prompt)
            #expect(result.match == match, "\(prompt)")
            #expect(result.sharedTokens >= shared, "\(prompt)")
            #expect(result.tokens.prefix(result.sharedTokens) == cached.prefix(result.sharedTokens))
            #expect(tokenizer.decode(result.tokens.dropFirst(lead)) == tokenizer.decode(tokenizer.encode(prompt).dropFirst(lead)))
        }
        check(Self.text, .exact, atLeast: cached.count)
        check(String(Self.text.prefix(20)), .exact, atLeast: lead)
        check(Self.text + "And then?", .extend, atLeast: lead)
        check(String(Self.text.prefix(25)) + "and that is all", .diverge, atLeast: lead)
        check("Completely different", .diverge, atLeast: lead)
        #expect(matcher.match(cached: [], text: Self.text).match == .none)
        #expect(matcher.match(cached: [], text: Self.text).tokens == cached)
    }

    /// A cache whose text was cut into single characters matches the same text cut otherwise, to the last token.
    @Test(arguments: ["llama3", "deepseek-v2", "gpt2"])
    func anotherTokenizationMatches(name: String) throws {
        let tokenizer = try Self.tokenizer(name)
        let lead = tokenizer.encode("")
        let pieces = Self.text.map { tokenizer.encode(String($0), addSpecialTokens: false) }
        let cached = lead + pieces.joined()
        #expect(cached != tokenizer.encode(Self.text))
        let result = PromptMatcher(tokenizer: tokenizer).match(cached: cached, text: Self.text + "More.")
        #expect(result.match == .extend)
        #expect(result.sharedTokens == cached.count)
        #expect(result.commonCharacters == Self.text.unicodeScalars.count)
        #expect(result.tokens == cached + tokenizer.encode("More.", addSpecialTokens: false))
    }

    /// Where texts part within a character or a token, the token before it is the last that is reused.
    @Test func partingWithinAToken() throws {
        let tokenizer = try Self.tokenizer("gpt2")
        let cached = "狐狸".flatMap { tokenizer.encode(String($0), addSpecialTokens: false) }
        let result = PromptMatcher(tokenizer: tokenizer).match(cached: cached, text: "狐狗")
        #expect(result.match == .diverge && result.commonCharacters == 1)
        let first = tokenizer.encode("狐", addSpecialTokens: false)
        #expect(result.sharedTokens == first.count)
        #expect(tokenizer.decode(result.tokens) == "狐狗")
    }

    /// Phases append: each finds in the cache all that was said before but the last token, and answers as an agent that
    /// hears everything at once.
    @Test func phasesAppend() throws {
        let lab = try TinyLab(scheme: "fp32", compute: .reference)
        let session = AgentSession(engine: lab.engine, cache: lab.cache())
        var said: [Int32] = []
        for (phase, length) in [200, 90, 140, 30].enumerated() {
            let new = lab.tokens(length, seed: UInt64(phase))
            let turn = try session.inject(new, maximumTokens: 6)
            #expect(turn.match == (phase == 0 ? .none : .extend))
            #expect(turn.hitTokens == max(0, said.count - 1))
            #expect(turn.hitTokens + turn.newTokens == said.count + length)
            said += new
            let alone = try AgentSession(engine: lab.engine, cache: lab.cache()).respond(to: said, maximumTokens: 6)
            #expect(alone.tokens == turn.tokens)
            said += turn.tokens
            #expect(session.transcript == said)
        }
    }
}
