import Foundation
import Testing
import Text

struct JSONDocumentTests {
    private func parse(_ text: String) throws(TextError) -> JSONValue {
        try JSONDocument(Array(text.utf8), file: "f.json").root
    }

    @Test func values() throws {
        let root = try parse(
            #" {"a": [1, -20, 3.5e-1, true, false, null, "x\n\u00e9\ud83d\ude00\"\\\/"], "b": {}, "a\u0062": "é"} "#)
        let members = Array(root.members)
        #expect(members.map(\.key.string) == ["a", "b", "ab"])
        let list = Array(members[0].value.elements)
        #expect(list.map(\.integer) == [1, -20, nil, nil, nil, nil, nil])
        #expect(list[2].number == 0.35)
        #expect(list.map(\.boolean) == [nil, nil, nil, true, false, nil, nil])
        #expect(list[6].string == "x\né😀\"\\/")
        #expect(members[1].value.count == 0)
        #expect(members[2].value.string == "é")
        #expect(members[2].key.offset == 85)
    }

    /// Twelve megabytes of nothing but values would be a list of 96.
    @Test func moreValuesThanMemory() throws {
        let bytes = Array("[".utf8) + Array(repeatElement([UInt8(ascii: "1"), UInt8(ascii: ",")], count: 6 << 20).joined())
            + Array("1]".utf8)
        let error = #expect(throws: TextError.self) { try JSONDocument(bytes, file: "f.json") }
        #expect(error?.description == "'f.json': its 12582915 bytes hold up to 6291458 values, more than any tokenizer's.")
        #expect(try JSONDocument(Array(bytes[..<(8 << 20)] + [UInt8(ascii: "1"), UInt8(ascii: "]")]), file: "f.json").root.count == 4 << 20)
    }

    @Test func numbersOutOfRange() throws {
        #expect(try parse("9223372036854775807").integer == Int.max)
        #expect(try parse("9223372036854775808").integer == nil)
        #expect(try parse("1e2").integer == nil)
    }

    @Test(arguments: [
        ("", 0, "the document ends too early"), ("{", 1, "the document ends too early"),
        ("[1,]", 3, "a value was expected"), ("[1 2]", 3, "',' or ']' was expected"),
        ("{\"a\" 1}", 5, "':' was expected"), ("{a:1}", 1, "a key in quotation marks was expected"),
        ("{\"a\":1,}", 7, "a key in quotation marks was expected"), ("nul", 3, "the document ends too early"),
        ("nulx", 0, "a value was expected"), ("01", 1, "there is text after the end of the value"),
        ("-", 1, "the document ends too early"), ("1.", 2, "the document ends too early"),
        ("[1.x]", 3, "a digit was expected"), ("[+1]", 1, "a value was expected"),
        ("\"a", 2, "the document ends too early"), ("\"a\tb\"", 2, "a string holds a bare control character"),
        ("\"\\x\"", 1, "an unknown escape stands"), ("\"\\u12g4\"", 3, "four hexadecimal digits were expected"),
        ("\"\\ud800\"", 1, "a \\u escape is half of a surrogate pair"),
        ("\"\\ud800\\u0041\"", 1, "a \\u escape is half of a surrogate pair"),
        ("\"\\udc00\"", 1, "a \\u escape is half of a surrogate pair"),
        ("\u{FEFF}1", 0, "a byte-order mark stands"), ("1 1", 2, "there is text after the end of the value"),
    ])
    func errors(_ text: String, _ offset: Int, _ problem: String) {
        #expect(throws: TextError.malformedJSON(file: "f.json", offset: offset, problem: problem)) { try parse(text) }
    }

    @Test(arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80]])
    func invalidUTF8(_ bytes: [UInt8]) {
        #expect(throws: TextError.malformedJSON(file: "f", offset: 1, problem: "a string is not valid UTF-8")) {
            try JSONDocument([0x22] + bytes + [0x22], file: "f")
        }
    }

    @Test func depthIsLimited() throws {
        let depth = JSONDocument.maximumDepth
        _ = try parse(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        #expect(
            throws: TextError.malformedJSON(
                file: "f.json", offset: depth, problem: "values are nested more than 128 deep")
        ) { try parse(String(repeating: "[", count: 1_000_000)) }
    }

    @Test func sentence() {
        let error = TextError.malformedJSON(file: "a/tokenizer.json", offset: 7, problem: "a value was expected")
        #expect(error.description == "'a/tokenizer.json' is not valid JSON: a value was expected at byte 7.")
    }

    /// Foundation reads the same values from the same files.
    @Test(arguments: ["llama3/tokenizer.json", "chat.json", "gemma/golden.json"])
    func equalsFoundation(_ name: String) throws {
        let data = try Data(contentsOf: Fixtures.directory.appendingPathComponent(name))
        let value = try JSONDocument([UInt8](data), file: name).root
        #expect(isEqual(value, try JSONSerialization.jsonObject(with: data)))
    }

    private func isEqual(_ value: JSONValue, _ other: Any) -> Bool {
        switch value.kind {
        case .null: return other is NSNull
        case .boolean: return (other as? NSNumber)?.boolValue == value.boolean
        case .number: return (other as? NSNumber)?.doubleValue == value.number
        case .string: return (other as? String).map { Array($0.utf8) } == value.utf8
        case .array:
            let list = other as? [Any] ?? []
            return list.count == value.count && zip(value.elements, list).allSatisfy { isEqual($0, $1) }
        case .object:
            let members = other as? [String: Any] ?? [:]
            return members.count == value.count
                && value.members.allSatisfy { isEqual($0.value, members[$0.key.string ?? ""] ?? 0) }
        }
    }
}
