/// Writes a visible character, usually "▁", for every space, puts one before the text, and cuts before each.
struct MetaspacePreTokenizer: PreTokenizer {
    enum PrependScheme: String, Sendable, CaseIterable {
        /// Before every piece that does not begin with the character.
        case always
        /// Only before the piece that begins the whole text.
        case first
        case never
    }

    let replacement: [UInt8]
    let prependScheme: PrependScheme
    let splits: Bool

    func apply(to list: inout PieceList) {
        let spaces = ReplaceNormalizer(pattern: LiteralPattern(literal: [UInt8(ascii: " ")]), content: replacement)
        list.rewrite { piece, isFirst in
            let text = spaces.replaced(in: Array(piece))
            let prepends = prependScheme == .always || prependScheme == .first && isFirst
            return prepends && !text.starts(with: replacement) ? replacement + text : text
        }
        if splits {
            let pattern = LiteralPattern(literal: replacement)
            SplitPreTokenizer(pattern: pattern, behavior: .mergedWithNext).apply(to: &list)
        }
    }
}
