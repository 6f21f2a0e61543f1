import Foundation
import Testing
import Text

/// 262,144 tokens, as Gemma has: every word of up to three letters and many of four, joined letter by letter.
struct LargeVocabularyTests {
    private static let count = 262_144

    /// All words over a–z in the order of their length, cut off at `count`, with "?" as the unknown token.
    private static let words: [String] = {
        let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
        var words = ["?"] + letters
        var shorter = letters[...]
        while words.count < count {
            let longer = shorter.lazy.flatMap { word in letters.lazy.map { word + $0 } }.prefix(count - words.count)
            shorter = Array(longer)[...]
            words += shorter
        }
        return words
    }()

    @Test func tokenizerJSON() throws {
        let vocab = Self.words.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ",\n")
        let merges = Self.words.filter { $0.count > 1 }.map { "[\"\($0.dropLast())\", \"\($0.suffix(1))\"]" }
        let json = """
            {"model": {"type": "BPE", "unk_token": "?", "vocab": {\(vocab)}, "merges": [\(merges.joined(separator: ",\n"))]}}
            """
        let start = ContinuousClock.now
        let tokenizer = try Tokenizer(tokenizerJSON: Data(json.utf8))
        try check(tokenizer, start)
    }

    @Test func ggufScores() throws {
        let metadata = GGUFTokenizerMetadata(
            file: "m.gguf", model: "llama", tokens: Self.words, scores: Self.words.indices.map { -Float($0) },
            unknownID: 0, addsSpacePrefix: false)
        let start = ContinuousClock.now
        let tokenizer = try Tokenizer(gguf: metadata)
        try check(tokenizer, start)
    }

    /// The bound on time is far above what it takes (a quarter of a second) and far below what anything quadratic would.
    private func check(_ tokenizer: Tokenizer, _ start: ContinuousClock.Instant) throws {
        #expect(tokenizer.vocabularySize == Self.count)
        for id in stride(from: 1, to: Self.count, by: 1_009) {
            #expect(tokenizer.id(of: Self.words[id]) == Int32(id))
            #expect(tokenizer.token(Int32(id)) == Self.words[id])
        }
        #expect(tokenizer.encode("abc").map { Self.words[Int($0)] }.joined() == "abc")
        let long = String(repeating: "abcdxyzz", count: 125_000)
        let ids = tokenizer.encode(long)
        #expect(ids.map { Self.words[Int($0)] }.joined() == long)
        #expect(ids.count < 600_000)
        #expect(start.duration(to: .now) < .seconds(8))
    }
}
