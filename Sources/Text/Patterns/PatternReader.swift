/// Reads the text of a regular expression from left to right.
struct PatternReader {
    enum Atom: Equatable {
        case scalar(UInt32)
        case classes(CharacterClass)
    }

    private let scalars: [Unicode.Scalar]
    private var at = 0

    init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    var isAtEnd: Bool { at == scalars.count }

    func isNext(_ text: String) -> Bool { scalars[at...].starts(with: text.unicodeScalars) }

    /// Passes `text` if it stands here.
    mutating func skip(_ text: String) -> Bool {
        guard isNext(text) else { return false }
        at += text.unicodeScalars.count
        return true
    }

    /// A number of at most four digits.
    mutating func number() -> Int? {
        var value: Int?
        for _ in 0..<4 {
            guard !isAtEnd, case let digit = Int(scalars[at].value) - 0x30, (0..<10).contains(digit) else { break }
            value = (value ?? 0) * 10 + digit
            at += 1
        }
        return value
    }

    /// One character, escaped or not, or one class such as `\s` or `\p{L}`; nil for an escape that is not known.
    mutating func atom() -> Atom? {
        guard !isAtEnd else { return nil }
        let scalar = scalars[at]
        at += 1
        guard scalar == "\\" else { return .scalar(scalar.value) }
        for (text, classes) in Self.classes where skip(text) { return .classes(classes) }
        guard !isAtEnd else { return nil }
        let escaped = scalars[at]
        at += 1
        switch escaped {
        case "r": return .scalar(0x0D)
        case "n": return .scalar(0x0A)
        case "t": return .scalar(0x09)
        default:
            // Any ASCII punctuation stands for itself after a backslash; letters and digits have meanings.
            let kind = CharacterClass.of(escaped.value)
            return escaped.isASCII && !kind.isDisjoint(with: [.punctuation, .symbol]) ? .scalar(escaped.value) : nil
        }
    }

    private static let classes: [(String, CharacterClass)] = [
        ("s", .space), ("p{L}", .letter), ("p{N}", .number), ("p{P}", .punctuation), ("p{S}", .symbol), ("p{M}", .mark),
    ]
}
