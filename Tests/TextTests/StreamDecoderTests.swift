import Foundation
import Testing
import Text

struct StreamDecoderTests {
    /// Token by token comes out what comes out at once, and never a replacement character that is not in the end too.
    @Test(arguments: Fixtures.names)
    func streamEqualsWhole(_ name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        for item in try Fixtures.document("\(name)/golden.json").required("cases").elements() {
            let golden = try GoldenCase(item)
            var decoder = tokenizer.streamDecoder(skipSpecialTokens: false)
            var parts = golden.ids.map { decoder.push($0) }
            parts.append(decoder.finish())
            #expect(Array(parts.joined().utf8) == Array(golden.decoded.utf8))
        }
    }

    /// Every decoder and combination of decoders, at once and token by token.
    @Test func decodersEqualTokenizers() throws {
        for item in try Fixtures.document("decoders.json").elements() {
            let json = try item.required("tokenizer").string()
            let tokenizer = try Tokenizer(tokenizerJSON: Data(json.utf8))
            for item in try item.required("cases").elements() {
                let golden = try GoldenCase(item)
                var decoder = tokenizer.streamDecoder(skipSpecialTokens: false)
                var parts = golden.ids.map { decoder.push($0) }
                parts.append(decoder.finish())
                #expect(Array(parts.joined().utf8) == Array(golden.decoded.utf8), "\(json): \(golden.ids)")
                #expect(Array(tokenizer.decode(golden.ids).utf8) == Array(golden.decoded.utf8))
            }
        }
    }

    @Test func keepsHalfACharacter() throws {
        let tokenizer = try Fixtures.tokenizer("gpt2")
        let ids = [0xF0, 0x9F, 0x98, 0x80].compactMap { tokenizer.id(of: ByteLevelText.character($0)) }
        #expect(ids.count == 4)
        var decoder = tokenizer.streamDecoder()
        #expect(ids.map { decoder.push($0) } == ["", "", "", "😀"])
        _ = decoder.push(ids[0])
        #expect(decoder.finish() == "\u{FFFD}")
        #expect(decoder.push(ids[3]) == "\u{FFFD}")
    }

    @Test func keepsARunOfByteTokens() throws {
        let tokenizer = try Fixtures.tokenizer("gemma")
        let ids = ["<0xE2>", "<0x82>", "<0xAC>", "a"].compactMap(tokenizer.id(of:))
        var decoder = tokenizer.streamDecoder()
        #expect(ids.map { decoder.push($0) } == ["", "", "", "€a"])
    }
}

enum ByteLevelText {
    /// The character that byte-level vocabularies write for a byte above 0xA1.
    static func character(_ byte: UInt32) -> String {
        // 0x7F to 0xA0 and 0xAD follow the 33 bytes below 0x21 from U+0100 on.
        let scalar = byte >= 0xA1 && byte != 0xAD ? byte : byte == 0xAD ? 0x143 : 0x100 + 33 + byte - 0x7F
        return Unicode.Scalar(scalar).map(String.init) ?? ""
    }
}
