import Foundation
import Testing
import Text

/// Truncated and altered tokenizer files give an error or a tokenizer, never a crash, a hang or a large allocation.
struct DamagedFileTests {
    @Test(arguments: ["llama3", "gemma", "odd"])
    func truncated(_ name: String) throws {
        let whole = try data(name)
        for length in stride(from: 0, to: whole.count - 2, by: 97) {
            let error = #expect(throws: TextError.self) {
                try Tokenizer(tokenizerJSON: whole.prefix(length), file: "t.json")
            }
            // The last character may be cut too, which begins up to three bytes earlier.
            guard case .malformedJSON("t.json", let offset, _) = error, (length - 3...length).contains(offset) else {
                Issue.record("cut at \(length): \(String(describing: error))")
                continue
            }
        }
    }

    @Test(arguments: ["llama3", "gemma", "odd", "deepseek-v2", "llama2"])
    func altered(_ name: String) throws {
        let whole = [UInt8](try data(name))
        var random = SplitMix(state: UInt64(name.utf8.reduce(0) { $0 * 31 + Int($1) }))
        for _ in 0..<150 {
            var bytes = whole
            for _ in 0..<1 + random.below(3) { random.damage(&bytes) }
            do throws(TextError) {
                let tokenizer = try Tokenizer(tokenizerJSON: Data(bytes), file: "t.json")
                let ids = tokenizer.encode("The lighthouse 123\n<s> ▁ 中文 e\u{301}")
                _ = tokenizer.decode(ids)
            } catch {
                #expect(error.description.contains("'t.json'") && error.description.hasSuffix("."), "\(error)")
            }
        }
    }

    private func data(_ name: String) throws -> Data {
        try Data(contentsOf: Fixtures.directory.appendingPathComponent("\(name)/tokenizer.json"))
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014), for repeatable damage.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    mutating func below(_ end: Int) -> Int { Int(next() % UInt64(end)) }

    /// Changes, removes, doubles or moves some bytes; half of the time in the first part, where the settings are.
    mutating func damage(_ bytes: inout [UInt8]) {
        let at = below(2) == 0 ? below(min(bytes.count, 4000)) : below(bytes.count)
        let end = min(bytes.count, at + 1 + below(12))
        switch below(6) {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: next())
        case 1: bytes[at] = Array("{}[]\",:0123456789-e\\ntf".utf8)[below(23)]
        case 2: bytes.removeSubrange(at..<end)
        case 3: bytes.insert(contentsOf: bytes[at..<end], at: at)
        case 4: bytes.insert(contentsOf: Array("99999999999".utf8), at: at)
        default: bytes.insert(contentsOf: Array(["null", "true", "[]", "{}", "\"\"", "-1"][below(6)].utf8), at: at)
        }
    }
}
