import Foundation
import Tensors
import Testing

/// What a header may not say, each with the sentence that says so.
@Suite struct SafetensorsHeaderTests {
    private func file(_ json: String, data: Int = 8) -> [UInt8] {
        withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { Array($0) } + Array(json.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    private func problem(_ json: String, data: Int = 8) -> String {
        do {
            return try withGuardedBytes(file(json, data: data)) {
                _ = try SafetensorsHeader(bytes: $0, file: "f")
                return "none"
            }
        } catch { return "\(error)" }
    }

    private func entry(_ name: String, _ start: Int, _ end: Int, dtype: String = "U8", shape: String? = nil) -> String {
        #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape ?? "[\(end - start)]"),"data_offsets":[\#(start),\#(end)]}"#
    }

    @Test func good() throws {
        #expect(problem("{\(entry("a", 0, 8))}") == "none")
        #expect(problem("{\(entry("b", 4, 8)),\(entry("a", 0, 4)),\(entry("none", 4, 4))}  ") == "none")
        #expect(problem("{}", data: 0) == "none")
        #expect(problem(#"{"__metadata__":{"a":"\u00e9\n\ud83d\ude00"}}"#, data: 0) == "none")
        #expect(
            problem("{ \"a\" : { \"shape\" : [ ] , \"data_offsets\" : [ 0 , 8 ], \"dtype\" : \"I64\" } }") == "none")
    }

    @Test func holesAndOverlaps() {
        #expect(
            problem("{\(entry("a", 1, 8))}")
                == "f is damaged at byte 62: tensor 'a' follows a hole; the tensors before it end at byte 61.")
        #expect(
            problem("{\(entry("a", 0, 4)),\(entry("b", 2, 8))}").hasSuffix(
                "tensor 'b' overlaps another tensor; the tensors before it end at byte 117."))
        #expect(problem("{\(entry("a", 0, 4))}").hasSuffix("the tensors end here and the file has 69 bytes."))
        #expect(problem("{\(entry("a", 0, 4)),\(entry("b", 5, 8))}").contains("'b' follows a hole"))
    }

    @Test func whatEntriesMayNotSay() {
        #expect(
            problem("{\(entry("a", 0, 8, dtype: "F4"))}")
                == "f is damaged at byte 26: tensor 'a' has the unknown dtype 'F4'.")
        #expect(problem("{\(entry("a", 0, 8)),\(entry("a", 8, 8))}").hasSuffix("tensor 'a' comes twice."))
        #expect(problem("{\(entry("a", 0, 9))}").hasSuffix("tensor 'a' lies at 0..<9 of 8 data bytes."))
        #expect(problem("{\(entry("a", 8, 0, shape: "[]"))}").hasSuffix("tensor 'a' lies at 8..<0 of 8 data bytes."))
        #expect(problem("{\(entry("a", 0, 8, shape: "[9]"))}").hasSuffix("of shape [9] needs 9 bytes and has 8."))
        #expect(
            problem("{\(entry("a", 0, 8, shape: "[4611686018427387904,4]"))}").hasSuffix(
                "tensor 'a' has the impossible shape [4611686018427387904, 4]."))
        #expect(problem("{\(entry("a", 0, 8, shape: "[9223372036854775808]"))}").hasSuffix("a number is too large."))
        #expect(problem("{\(entry("a", 0, 8, shape: "[-8]"))}").hasSuffix("a whole number is missing."))
        #expect(problem("{\(entry("a", 0, 8, shape: "[8.0]"))}").hasSuffix("a whole number is missing."))
        #expect(problem("{\(entry("a", 0, 8, shape: "[08]"))}").hasSuffix("a whole number is missing."))
        #expect(
            problem("{\(entry("a", 0, 8, shape: "[" + Array(repeating: "1", count: 17).joined(separator: ",") + "]"))}")
                .hasSuffix("'shape' of tensor 'a' has more than 16 numbers."))
        #expect(problem(#"{"a":{"dtype":"U8","shape":[8]}}"#).hasSuffix("lacks dtype, shape or data_offsets."))
        #expect(
            problem(#"{"a":{"dtype":"U8","dtype":"U8"}}"#).hasSuffix("has the field 'dtype' twice, or it is unknown."))
        #expect(problem(#"{"a":{"kind":"U8"}}"#).hasSuffix("has the field 'kind' twice, or it is unknown."))
    }

    @Test func brokenJSON() {
        for (json, ending) in [
            ("", "an object is missing."), (" {}", "an object is missing."), ("[]", "an object is missing."),
            ("{", "a text is missing."), ("{\"a", "a text is not closed."), ("{\"a\"", "a colon is missing."),
            ("{} {}", "something follows the JSON."), ("{\"__metadata__\":{\"a\":1}}", "a text is missing."),
            (#"{"__metadata__":{},"__metadata__":{}}"#, "__metadata__ comes twice."),
            (#"{"__metadata__":{"a":"","a":""}}"#, "__metadata__ has 'a' twice, or too many keys."),
            (#"{"\ud800":1}"#, "half a surrogate pair."), (#"{"\x":1}"#, "an unknown escape."),
            (#"{"\u12"#, "an escape lacks its four digits."), ("{\"\u{1}\":1}", "a text holds a control character."),
        ] { #expect(problem(json, data: 0).hasSuffix(ending), "\(json): \(problem(json, data: 0))") }
        var bytes = file(#"{"__metadata__":{"abc":""}}"#, data: 0)
        bytes[8 + 18] = 0xff
        #expect(throws: TensorsError.malformed(file: "f", offset: 29, problem: "a text is not UTF-8")) {
            try withGuardedBytes(bytes) { _ = try SafetensorsHeader(bytes: $0, file: "f") }
        }
    }

    /// A header with more tensors than any model costs no more memory than it may.
    @Test func tooManyTensors() {
        let many = (0...SafetensorsHeader.maximumTensors).map { entry("\($0)", 0, 0) }.joined(separator: ",")
        #expect(problem("{\(many)}", data: 0).hasSuffix("it has more than 98304 tensors."))
    }
}
