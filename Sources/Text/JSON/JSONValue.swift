/// One value of a ``JSONDocument``, with the byte at which it stands. Reading never copies the document.
package struct JSONValue: Sendable {
    package let document: JSONDocument
    let index: Int

    private var node: JSONNode { document.nodes[index] }

    package var kind: JSONKind { node.kind }

    /// First byte of the value in the document; for a string the byte after the quote.
    package var offset: Int { Int(node.start) }

    package var isNull: Bool { kind == .null }

    /// Elements of an array or members of an object; 0 for every other kind.
    package var count: Int { kind == .array || kind == .object ? Int(node.length) : 0 }

    /// Calls `body` with the UTF-8 text of a string, or returns nil for another kind.
    package func withText<R, E: Error>(_ body: (UnsafeBufferPointer<UInt8>) throws(E) -> R) throws(E) -> R? {
        let node = node
        guard node.kind == .string else { return nil }
        return try document.bytes.withUnsafeBufferPointer { all throws(E) in
            let raw = UnsafeBufferPointer(rebasing: all[Int(node.start)..<Int(node.start + node.length)])
            guard node.isEscaped else { return try body(raw) }
            return try JSONEscape.decode(raw).withUnsafeBufferPointer(body)
        }
    }

    package var utf8: [UInt8]? { withText { [UInt8]($0) } }

    package var string: String? { withText { String(decoding: $0, as: UTF8.self) } }

    package var boolean: Bool? { kind == .boolean ? document.bytes[offset] == UInt8(ascii: "t") : nil }

    /// A number without fraction or exponent that fits into 64 bits.
    package var integer: Int? {
        let node = node
        guard node.kind == .number else { return nil }
        var at = Int(node.start)
        let end = at + Int(node.length)
        let isNegative = document.bytes[at] == UInt8(ascii: "-")
        if isNegative { at += 1 }
        var value = 0
        while at < end {
            let digit = Int(document.bytes[at]) - 0x30
            guard (0..<10).contains(digit) else { return nil }
            let (ten, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = ten.addingReportingOverflow(digit)
            if overflow || carry { return nil }
            value = sum
            at += 1
        }
        return isNegative ? -value : value
    }

    package var number: Double? {
        guard kind == .number else { return nil }
        let node = node
        return Double(String(decoding: document.bytes[Int(node.start)..<Int(node.start + node.length)], as: UTF8.self))
    }

    /// The elements of an array, in order; empty for every other kind.
    package var elements: some Sequence<JSONValue> {
        sequence(state: (index + 1, kind == .array ? count : 0)) { state -> JSONValue? in
            guard state.1 > 0 else { return nil }
            let value = JSONValue(document: document, index: state.0)
            state = (Int(value.node.next), state.1 - 1)
            return value
        }
    }

    /// The members of an object, in order; empty for every other kind.
    package var members: some Sequence<(key: JSONValue, value: JSONValue)> {
        sequence(state: (index + 1, kind == .object ? count : 0)) { state -> (key: JSONValue, value: JSONValue)? in
            guard state.1 > 0 else { return nil }
            let key = JSONValue(document: document, index: state.0)
            let value = JSONValue(document: document, index: state.0 + 1)
            state = (Int(value.node.next), state.1 - 1)
            return (key, value)
        }
    }
}
