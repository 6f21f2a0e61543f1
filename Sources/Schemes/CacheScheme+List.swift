extension CacheScheme {
    /// Several expressions in one text, separated by spaces or commas: `q8_0,k=q8_0,v=q4_0 fp16` holds three. A comma
    /// between `k=` and `v=` belongs to the expression. A text that is one expression as a whole is taken for that.
    /// - Throws: what ``init(expression:)`` throws of the first that is wrong.
    public static func list(_ text: String) throws -> [CacheScheme] {
        if let one = try? CacheScheme(expression: text) { return [one] }
        var parts: [String] = []
        var depth = 0
        var part = ""
        for character in text {
            depth += character == "(" ? 1 : character == ")" ? -1 : 0
            if depth == 0, character == "," || character.isWhitespace {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        parts = (parts + [part]).filter { !$0.isEmpty }
        var expressions: [String] = []
        for part in parts {
            if let last = expressions.last, isHalf(last), isHalf(part), last.first != part.first, !last.contains(",") {
                expressions[expressions.count - 1] = "\(last),\(part)"
            } else {
                expressions.append(part)
            }
        }
        return try expressions.map { try CacheScheme(expression: $0) }
    }

    private static func isHalf(_ text: String) -> Bool { text.hasPrefix("k=") || text.hasPrefix("v=") }
}
