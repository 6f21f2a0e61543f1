/// The rows whose attention says what the tokens of a tile are worth: the newest 6 of 128, and one of each sixth of the others.
///
/// A token's saliency is the mean weight that the probe rows of its tile give it, summed over the query heads that share its KV
/// head, among those rows that see it: tokens at the beginning, which more rows see, have no advantage.
/// - Source: ZipCache (https://arxiv.org/abs/2405.14256), normalized attention scores; its probe rows are the newest 5 % of all
///   and 5 % drawn at random.
public enum ProbeRows {
    /// Tokens that are judged together.
    public static let tile = 128
    /// The newest rows of a tile that are probes, and the parts of the others with one each.
    public static let newest = 6
    public static let drawn = 6
    /// Probe rows of a tile.
    public static let count = newest + drawn

    /// Their places in the tile that begins at `position`, ascending.
    public static func places(tile position: Int) -> [Int] {
        var generator = RandomController.Generator(state: UInt64(position))
        let rest = tile - newest
        let others = (0..<drawn).map { part in
            Int.random(in: (part * rest / drawn)..<((part + 1) * rest / drawn), using: &generator)
        }
        return others + (rest..<tile)
    }
}
