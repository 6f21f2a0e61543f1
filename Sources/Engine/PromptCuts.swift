import Models

/// Where a prompt is cut into the chunks of its prefill.
///
/// A chunk ends at a multiple of 128 positions of the agent's context, and no chunk has a single token unless the
/// prompt has: then the logits are the same bit by bit however the prompt is cut, so that a scheduler may cut it as the
/// moment asks. Held by `BatchInvarianceTests.cutsDoNotMatter`.
public enum PromptCuts {
    /// End of the chunk that starts at position `start` of a prompt that ends at position `end`, of about `limit`
    /// tokens: the last allowed cut within the limit, else the first one behind it.
    ///
    /// With cuts at multiples of 128, a chunk from 0 of a prompt of 1,000 with a limit of 300 ends at 256; with a limit
    /// of 50 at 128; and a prompt of 129 is not cut at all.
    public static func end(from start: Int, to end: Int, limit: Int) -> Int {
        let unit = promptCutTokens
        guard end - start > limit else { return end }
        // Cuts c with start + 2 <= c <= end - 2.
        let first = (start + 2 + unit - 1) / unit * unit
        let last = (end - 2) / unit * unit
        guard first <= last else { return end }
        return min(last, max(first, (start + limit) / unit * unit))
    }

    /// The most tokens of a chunk for a limit: where no cut is allowed within it, the chunk is longer.
    public static func longestChunk(limit: Int) -> Int { max(limit, promptCutTokens + 2) }
}
