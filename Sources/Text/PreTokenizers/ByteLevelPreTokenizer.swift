/// The step of byte-level models: a space before a text that has none, if asked for, and the pattern of GPT-2, if asked
/// for. That bytes become printable characters is left to the model, whose alphabet is the bytes themselves.
struct ByteLevelPreTokenizer: PreTokenizer {
    let addsPrefixSpace: Bool
    let usesPattern: Bool

    func apply(to list: inout PieceList) {
        if addsPrefixSpace {
            list.rewrite { piece, _ in
                piece.first == UInt8(ascii: " ") ? Array(piece) : [UInt8(ascii: " ")] + piece
            }
        }
        if usesPattern { SplitPreTokenizer(pattern: GPT2Pattern()).apply(to: &list) }
    }
}
