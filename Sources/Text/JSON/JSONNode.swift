/// The type of a JSON value.
package enum JSONKind: UInt8, Sendable {
    case null, boolean, number, string, array, object

    /// The type with its article, for sentences such as "should be an array but is a string".
    var named: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// One value in the flat list of a ``JSONDocument``, in document order; 16 bytes.
struct JSONNode: Sendable {
    /// First byte of the value; for a string the byte after the quote.
    var start: UInt32
    /// Bytes of a scalar; elements of an array; members of an object.
    var length: UInt32
    /// The node after this value and everything in it.
    var next: UInt32
    var kind: JSONKind
    /// A string that holds at least one backslash.
    var isEscaped: Bool
}
