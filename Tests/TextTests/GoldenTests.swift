import Testing
import Text

/// Ids and texts of Hugging Face tokenizers for hard texts, for every kind of tokenizer.
struct GoldenTests {
    @Test(arguments: Fixtures.names)
    func encode(_ name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        for item in try Fixtures.document("\(name)/golden.json").required("cases").elements() {
            let golden = try GoldenCase(item)
            #expect(
                tokenizer.encode(golden.text, addSpecialTokens: false) == golden.ids, "\(golden.text.debugDescription)")
            if let bytes = golden.bytes {
                #expect(tokenizer.encode(bytes: bytes, addSpecialTokens: false) == golden.ids)
            }
        }
    }

    @Test(arguments: Fixtures.names)
    func decode(_ name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        let document = try Fixtures.document("\(name)/golden.json")
        for key in ["cases", "decodes"] {
            for item in try document.required(key).elements() {
                let golden = try GoldenCase(item)
                expectEqual(tokenizer.decode(golden.ids), golden.decoded, golden.ids)
                expectEqual(tokenizer.decode(golden.ids, skipSpecialTokens: true), golden.plain, golden.ids)
            }
        }
    }

    /// What the post-processor of the file adds. DeepSeek is left out: there transformers 5 ignores `add_bos_token`.
    @Test(arguments: Fixtures.names.filter { !$0.hasPrefix("deepseek") })
    func specialTokens(_ name: String) throws {
        let tokenizer = try Fixtures.tokenizer(name)
        for item in try Fixtures.document("\(name)/golden.json").required("cases").elements() {
            let golden = try GoldenCase(item)
            #expect(tokenizer.encode(golden.text) == golden.special)
        }
    }

    @Test func configurationAddsBOS() throws {
        let tokenizer = try Fixtures.tokenizer("deepseek-v2")
        let bos = try #require(tokenizer.specialTokens.bos)
        #expect(bos.text == "<｜begin▁of▁sentence｜>")
        #expect(tokenizer.encode("hi") == [bos.id] + tokenizer.encode("hi", addSpecialTokens: false))
    }

    private func expectEqual(_ text: String, _ golden: String, _ ids: [Int32]) {
        // Byte by byte: `==` would take canonically equivalent texts for equal.
        #expect(
            Array(text.utf8) == Array(golden.utf8), "\(ids): \(text.debugDescription), not \(golden.debugDescription)")
    }
}

/// One case of a golden.json; what is left out there is as the entry before it.
struct GoldenCase {
    let text: String
    let bytes: [UInt8]?
    let ids: [Int32]
    let special: [Int32]
    let decoded: String
    let plain: String

    init(_ item: JSONField) throws {
        text = try item.optional("text").map { try $0.string() } ?? ""
        bytes = try item.optional("bytes").map { try Self.bytes(hex: $0.string()) }
        ids = try item.required("ids").elements().map { Int32(try $0.integer()) }
        special = try item.optional("special").map { try $0.elements().map { Int32(try $0.integer()) } } ?? ids
        decoded = try item.optional("decoded").map { try $0.string() } ?? text
        plain = try item.optional("plain").map { try $0.string() } ?? decoded
    }

    static func bytes(hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
