/// A metadata value of a GGUF file. Lists stay in the file until they are asked for.
public enum GGUFValue: Sendable, Equatable {
    case unsigned(UInt64)
    case signed(Int64)
    case float(Float)
    case double(Double)
    case bool(Bool)
    case text(String)
    case list(List)

    /// Types of values, as files number them.
    public enum Kind: UInt32, Sendable {
        case uint8 = 0, int8, uint16, int16, uint32, int32, float32, bool, text, list, uint64, int64, float64

        /// Bytes of a value; of a text its length alone, the least it can be.
        var size: Int {
            switch self {
            case .uint8, .int8, .bool: 1
            case .uint16, .int16: 2
            case .uint32, .int32, .float32: 4
            case .uint64, .int64, .float64, .text: 8
            case .list: 12
            }
        }
    }

    /// Values of one kind, one after the other in the file.
    public struct List: Sendable, Equatable {
        public let kind: Kind
        public let count: Int
        /// Byte range in the file.
        public let range: Range<Int>
    }

    /// What it is, for errors.
    var name: String {
        switch self {
        case .unsigned, .signed: "a whole number"
        case .float, .double: "a number"
        case .bool: "true or false"
        case .text: "a text"
        case .list(let list): "a list of \(list.count)"
        }
    }
}
