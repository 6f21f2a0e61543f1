import Caches

/// The rows of a step: the new tokens of all sequences, one after another, checked.
struct StepRows {
    /// Rows of the step's matrices that a part of the model works on.
    struct Selection {
        /// Row of the step for each row at work.
        let rows: [Int]
        let sequences: [CachedAttention.Sequence]
        var count: Int { rows.count }
    }

    let tokens: [Int32]
    /// Rotary position of each row.
    let positions: [Int]
    let all: Selection
    /// The rows whose logits are wanted.
    let wanted: Selection
    var count: Int { tokens.count }
    var sequences: [CachedAttention.Sequence] { all.sequences }

    /// - Throws: ``ModelsError`` for an empty sequence, a token outside the vocabulary or a context too long.
    init(
        _ steps: [SequenceStep], vocabularySize: Int, contextLimit: Int, maximumTokens: Int, model: String
    ) throws {
        var tokens: [Int32] = []
        var positions: [Int] = []
        var all: [CachedAttention.Sequence] = []
        var wanted: [CachedAttention.Sequence] = []
        var wantedRows: [Int] = []
        for step in steps {
            guard !step.tokens.isEmpty else { throw ModelsError.emptyPrompt }
            let start = step.cache.count
            let end = start + step.tokens.count
            let position = step.cache.positionOffset
            guard position + end <= contextLimit else {
                throw ModelsError.contextTooLong(tokens: position + end, limit: contextLimit, model: model)
            }
            for (offset, token) in step.tokens.enumerated() where token < 0 || Int(token) >= vocabularySize {
                throw ModelsError.tokenOutOfRange(token: token, position: start + offset, vocabulary: vocabularySize)
            }
            let firstRow = tokens.count
            all.append(
                .init(
                    cache: step.cache, firstRow: firstRow, count: step.tokens.count, firstPosition: start, mass: step.mass))
            let want = step.wanted.count(of: step.tokens.count)
            if want > 0 {
                wanted.append(
                    .init(
                        cache: step.cache, firstRow: wantedRows.count, count: want, firstPosition: end - want,
                        mass: step.mass))
                wantedRows += (firstRow + step.tokens.count - want)..<(firstRow + step.tokens.count)
            }
            tokens += step.tokens
            positions += (position + start)..<(position + end)
        }
        precondition(tokens.count <= maximumTokens, "a step of \(tokens.count) tokens; at most \(maximumTokens)")
        self.tokens = tokens
        self.positions = positions
        self.all = Selection(rows: Array(tokens.indices), sequences: all)
        self.wanted = Selection(rows: wantedRows, sequences: wanted)
    }
}
