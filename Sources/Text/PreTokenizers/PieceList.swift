/// A stretch of text on its way through the pre-tokenizers: one buffer, and the pieces cut out of it in order.
struct PieceList {
    var text: [UInt8]
    var pieces: [Range<Int>]
    /// Whether the stretch begins where the whole text begins.
    let startsText: Bool

    init(_ text: [UInt8], startsText: Bool) {
        self.text = text
        self.startsText = startsText
        pieces = text.isEmpty ? [] : [0..<text.count]
    }

    /// Replaces each piece by what `rewrite` gives for its bytes and whether it begins the whole text.
    mutating func rewrite(_ rewrite: (ArraySlice<UInt8>, _ isFirst: Bool) -> [UInt8]) {
        var newText: [UInt8] = []
        newText.reserveCapacity(text.count + text.count / 2)
        var newPieces: [Range<Int>] = []
        newPieces.reserveCapacity(pieces.count)
        for piece in pieces {
            let start = newText.count
            newText.append(contentsOf: rewrite(text[piece], startsText && piece.lowerBound == 0))
            if newText.count > start { newPieces.append(start..<newText.count) }
        }
        text = newText
        pieces = newPieces
    }

    /// Cuts each piece into the ranges that `cut` reports for it, which must be ascending, apart and not empty.
    mutating func split(_ cut: (UTF8Text, Range<Int>, _ emit: (Range<Int>) -> Void) -> Void) {
        var newPieces: [Range<Int>] = []
        newPieces.reserveCapacity(pieces.count * 2)
        text.withUnsafeBufferPointer { buffer in
            for piece in pieces { cut(buffer, piece) { newPieces.append($0) } }
        }
        pieces = newPieces
    }
}
