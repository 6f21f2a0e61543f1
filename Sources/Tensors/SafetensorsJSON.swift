/// A cursor over the JSON of safetensors headers and indexes: objects, lists, texts and whole numbers.
///
/// It builds no tree: a caller takes what it knows and refuses or skips the rest, so that a damaged or hostile file
/// costs no more memory than what the caller keeps. Depth is bounded, and every error carries its byte offset.
package struct SafetensorsJSON {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    /// Offset of the next byte.
    package private(set) var position: Int
    private var depth = 0

    /// Objects and lists inside each other.
    private static let maximumDepth = 32

    /// - Parameter bytes: the file up to the end of its JSON; `start`: where the JSON starts.
    package init(bytes: UnsafeRawBufferPointer, start: Int, file: String) {
        self.bytes = bytes
        self.file = file
        position = start
    }

    package func malformed(_ problem: String) -> TensorsError {
        .malformed(file: file, offset: position, problem: problem)
    }

    /// Calls `member` at the value of each member of the object here; it must consume that value.
    package mutating func object(_ member: (inout Self, _ key: String) throws -> Void) throws {
        try enter("{", "an object is missing")
        if take("}") { return leave() }
        repeat {
            space()
            let key = try text()
            space()
            guard take(":") else { throw malformed("a colon is missing") }
            space()
            try member(&self, key)
            space()
        } while take(",")
        guard take("}") else { throw malformed("an object is not closed") }
        leave()
    }

    /// Calls `element` at each element of the list here; it must consume it.
    package mutating func list(_ element: (inout Self) throws -> Void) throws {
        try enter("[", "a list is missing")
        if take("]") { return leave() }
        repeat {
            space()
            try element(&self)
            space()
        } while take(",")
        guard take("]") else { throw malformed("a list is not closed") }
        leave()
    }

    /// The text here, its escapes resolved.
    package mutating func text() throws -> String {
        guard take("\"") else { throw malformed("a text is missing") }
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if peek == UInt8(ascii: "\"") {
            let plain = bytes[start..<position]
            guard let text = String(validating: plain, as: UTF8.self) else { throw malformed("a text is not UTF-8") }
            position += 1
            return text
        }
        var units = Array(bytes[start..<position])
        while let byte = peek, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw malformed("a text holds a control character") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                units.append(contentsOf: try escape())
            } else {
                units.append(byte)
            }
        }
        guard take("\"") else { throw malformed("a text is not closed") }
        guard let text = String(validating: units, as: UTF8.self) else { throw malformed("a text is not UTF-8") }
        return text
    }

    /// The number here: digits only, no leading zero.
    package mutating func wholeNumber() throws -> Int {
        let start = position
        var value = 0
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            let (ten, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = ten.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { throw malformed("a number is too large") }
            value = sum
            position += 1
        }
        guard position > start, position == start + 1 || bytes[start] != UInt8(ascii: "0"),
            peek.map({ !".eE+-".utf8.contains($0) }) ?? true
        else { throw malformed("a whole number is missing") }
        return value
    }

    /// Passes over any value.
    package mutating func skip() throws {
        switch peek {
        case UInt8(ascii: "{"): try object { json, _ in try json.skip() }
        case UInt8(ascii: "["): try list { try $0.skip() }
        case UInt8(ascii: "\""): _ = try text()
        default:
            let start = position
            while let byte = peek, !",]} \n\r\t".utf8.contains(byte) { position += 1 }
            guard position > start else { throw malformed("a value is missing") }
        }
    }

    /// Nothing but white space may follow.
    package mutating func end() throws {
        space()
        guard position == bytes.count else { throw malformed("something follows the JSON") }
    }

    package mutating func space() {
        while let byte = peek, " \n\r\t".utf8.contains(byte) { position += 1 }
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func enter(_ opening: Unicode.Scalar, _ problem: String) throws {
        guard take(opening) else { throw malformed(problem) }
        depth += 1
        guard depth <= Self.maximumDepth else { throw malformed("it is nested more than \(Self.maximumDepth) deep") }
        space()
    }

    private mutating func leave() { depth -= 1 }

    /// What follows a backslash, as UTF-8.
    private mutating func escape() throws -> [UInt8] {
        guard let byte = peek else { throw malformed("a text is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var value = try hexadecimal()
            if (0xd800..<0xdc00).contains(value) {
                guard take("\\"), take("u") else { throw malformed("half a surrogate pair") }
                let low = try hexadecimal()
                guard (0xdc00..<0xe000).contains(low) else { throw malformed("half a surrogate pair") }
                value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(value) else { throw malformed("half a surrogate pair") }
            return Array(UTF8.encode(scalar)!)
        default: throw malformed("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw malformed("an escape lacks its four digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
