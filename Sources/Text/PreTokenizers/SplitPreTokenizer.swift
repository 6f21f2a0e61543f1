/// Cuts at the matches of a pattern.
struct SplitPreTokenizer: PreTokenizer {
    let pattern: any SplitPattern
    var behavior = SplitBehavior.isolated
    /// Matches and what lies between them change roles.
    var isInverted = false

    func apply(to list: inout PieceList) {
        list.split { text, piece, emit in
            guard behavior != .isolated else {
                forEachStretch(text, piece) { range, _ in emit(range) }
                return
            }
            var stretches: [(range: Range<Int>, isMatch: Bool)] = []
            forEachStretch(text, piece) { stretches.append(($0, $1 != isInverted)) }
            for range in behavior.pieces(stretches) { emit(range) }
        }
    }

    /// The matches and the stretches between them, in order.
    private func forEachStretch(_ text: UTF8Text, _ piece: Range<Int>, _ body: (Range<Int>, Bool) -> Void) {
        var at = piece.lowerBound
        while let match = pattern.nextMatch(in: text, from: at, end: piece.upperBound) {
            if match.lowerBound > at { body(at..<match.lowerBound, false) }
            body(match, true)
            at = match.upperBound
        }
        if at < piece.upperBound { body(at..<piece.upperBound, false) }
    }
}
