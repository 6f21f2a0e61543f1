/// Which of the newest rows wait in 16-bit floats before a scheme encodes them.
///
/// With 300 rows stored and tiles of 32, `whole(tokens: 128)` has encoded 256 and 44 wait; `rolling(tokens: 128)` has
/// encoded 160, and 140 wait.
public enum ResidualWindow: Sendable, Equatable {
    /// Every row is encoded as it comes.
    case none
    /// Rows wait until there are `tokens` of them, and are encoded all at once.
    case whole(tokens: Int)
    /// The last `tokens` rows wait; those before them are encoded when they fill a tile.
    case rolling(tokens: Int)

    /// Rows that are encoded when `count` are stored, for tiles of `tile` tokens.
    func encoded(at count: Int, tile: Int) -> Int {
        switch self {
        case .none: count
        case .whole(let tokens): count / tokens * tokens
        case .rolling(let tokens): max(0, count - tokens) / tile * tile
        }
    }

    /// The least count at which `encoded` rows are encoded.
    func leastCount(encoded: Int) -> Int {
        guard encoded > 0, case .rolling(let tokens) = self else { return encoded }
        return encoded + tokens
    }

    /// The most rows that wait at a time, with one that comes and one that may be taken back.
    func rows(tile: Int) -> Int {
        switch self {
        case .none: 0
        case .whole(let tokens): tokens + 1
        case .rolling(let tokens): tokens + tile + 1
        }
    }
}

/// Keys or values of a layer.
public enum RowKind: String, Sendable, CaseIterable {
    case keys, values
}
