/// Turns bytes into ``JSONNode``s in one pass.
struct JSONParser {
    struct Failure: Error {
        var offset: Int
        var problem: String
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0
    private(set) var nodes: [JSONNode] = []

    /// - Parameter mostNodes: as ``mostNodes(in:)`` says; the list never grows.
    init(_ bytes: UnsafeBufferPointer<UInt8>, mostNodes: Int) {
        self.bytes = bytes
        nodes.reserveCapacity(mostNodes)
    }

    /// No document of these bytes has more nodes: every value but the first follows one of four characters.
    static func mostNodes(in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var count = 1
        for byte in bytes {
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "{"): count += 1
            default: break
            }
        }
        return count
    }

    mutating func parseDocument() throws(Failure) {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw Failure(offset: 0, problem: "a byte-order mark stands")
        }
        try parseValue(depth: 0)
        skipSpace()
        guard at == bytes.count else { throw Failure(offset: at, problem: "there is text after the end of the value") }
    }

    private mutating func parseValue(depth: Int) throws(Failure) {
        skipSpace()
        guard at < bytes.count else { throw ended() }
        switch bytes[at] {
        case UInt8(ascii: "{"): try parseObject(depth: depth + 1)
        case UInt8(ascii: "["): try parseArray(depth: depth + 1)
        case UInt8(ascii: "\""): try parseString()
        case UInt8(ascii: "t"): try parseWord("true", .boolean)
        case UInt8(ascii: "f"): try parseWord("false", .boolean)
        case UInt8(ascii: "n"): try parseWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try parseNumber()
        default: throw Failure(offset: at, problem: "a value was expected")
        }
    }

    private mutating func parseObject(depth: Int) throws(Failure) {
        let index = try open(.object, depth: depth)
        var count: UInt32 = 0
        if try !closes(with: UInt8(ascii: "}")) {
            repeat {
                skipSpace()
                guard at < bytes.count else { throw ended() }
                guard bytes[at] == UInt8(ascii: "\"") else {
                    throw Failure(offset: at, problem: "a key in quotation marks was expected")
                }
                try parseString()
                skipSpace()
                guard at < bytes.count else { throw ended() }
                guard bytes[at] == UInt8(ascii: ":") else { throw Failure(offset: at, problem: "':' was expected") }
                at += 1
                try parseValue(depth: depth)
                count += 1
            } while try continues(until: UInt8(ascii: "}"))
        }
        close(index, count: count)
    }

    private mutating func parseArray(depth: Int) throws(Failure) {
        let index = try open(.array, depth: depth)
        var count: UInt32 = 0
        if try !closes(with: UInt8(ascii: "]")) {
            repeat {
                try parseValue(depth: depth)
                count += 1
            } while try continues(until: UInt8(ascii: "]"))
        }
        close(index, count: count)
    }

    private mutating func open(_ kind: JSONKind, depth: Int) throws(Failure) -> Int {
        guard depth <= JSONDocument.maximumDepth else {
            throw Failure(offset: at, problem: "values are nested more than \(JSONDocument.maximumDepth) deep")
        }
        nodes.append(JSONNode(start: UInt32(at), length: 0, next: 0, kind: kind, isEscaped: false))
        at += 1
        return nodes.count - 1
    }

    private mutating func close(_ index: Int, count: UInt32) {
        nodes[index].length = count
        nodes[index].next = UInt32(nodes.count)
    }

    /// Whether the container that was just opened closes at once.
    private mutating func closes(with end: UInt8) throws(Failure) -> Bool {
        skipSpace()
        guard at < bytes.count else { throw ended() }
        guard bytes[at] == end else { return false }
        at += 1
        return true
    }

    /// Passes the comma before another element (true) or the end of the container (false).
    private mutating func continues(until end: UInt8) throws(Failure) -> Bool {
        skipSpace()
        guard at < bytes.count else { throw ended() }
        if bytes[at] == UInt8(ascii: ",") {
            at += 1
            return true
        }
        guard bytes[at] == end else {
            throw Failure(offset: at, problem: "',' or '\(Character(Unicode.Scalar(end)))' was expected")
        }
        at += 1
        return false
    }

    private mutating func parseWord(_ word: StaticString, _ kind: JSONKind) throws(Failure) {
        let start = at
        for k in 0..<word.utf8CodeUnitCount {
            guard at < bytes.count else { throw ended() }
            guard bytes[at] == word.utf8Start[k] else { throw Failure(offset: start, problem: "a value was expected") }
            at += 1
        }
        append(start: start, kind)
    }

    private mutating func parseNumber() throws(Failure) {
        let start = at
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        if at < bytes.count, bytes[at] == UInt8(ascii: "0") {
            at += 1
        } else {
            try digits()
        }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            try digits()
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            try digits()
        }
        append(start: start, .number)
    }

    /// One digit or more.
    private mutating func digits() throws(Failure) {
        guard at < bytes.count else { throw ended() }
        let start = at
        while at < bytes.count, bytes[at] &- UInt8(ascii: "0") < 10 { at += 1 }
        guard at > start else { throw Failure(offset: at, problem: "a digit was expected") }
    }

    private mutating func parseString() throws(Failure) {
        at += 1
        let start = at
        var isEscaped = false
        while true {
            guard at < bytes.count else { throw ended() }
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                at = try JSONEscape.end(of: at, in: bytes)
            } else if byte < 0x20 {
                throw Failure(offset: at, problem: "a string holds a bare control character")
            } else if byte < 0x80 {
                at += 1
            } else {
                let length = bytes.validScalarLength(at: at)
                guard length > 0 else { throw Failure(offset: at, problem: "a string is not valid UTF-8") }
                at += length
            }
        }
        append(start: start, .string, isEscaped: isEscaped)
        at += 1
    }

    private mutating func append(start: Int, _ kind: JSONKind, isEscaped: Bool = false) {
        nodes.append(
            JSONNode(
                start: UInt32(start), length: UInt32(at - start), next: UInt32(nodes.count + 1), kind: kind,
                isEscaped: isEscaped))
    }

    private mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    private func ended() -> Failure { Failure(offset: bytes.count, problem: "the document ends too early") }
}
