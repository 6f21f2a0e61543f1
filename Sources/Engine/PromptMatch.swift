import Caches
import Models

/// What an agent's cache has in common with a prompt.
/// - Source: arXiv 2603.04428, "EXACT / EXTEND / DIVERGE".
public enum PromptMatch: String, Sendable, Equatable, CaseIterable {
    /// Nothing is cached.
    case none
    /// The cache begins with the whole prompt: one token is computed anew, for its logits.
    case exact
    /// The prompt begins with the whole cache and goes on.
    case extend
    /// They part at some place; what they share before it is kept.
    case diverge

    /// How `prompt` stands to `cached`, and how many elements they share.
    static func compare<T: Equatable>(_ cached: some Collection<T>, _ prompt: some Collection<T>) -> (PromptMatch, Int) {
        guard !cached.isEmpty else { return (.none, 0) }
        let common = zip(prompt, cached).prefix { $0 == $1 }.count
        if common == prompt.count { return (.exact, common) }
        return (common == cached.count ? .extend : .diverge, common)
    }
}

extension AgentCache {
    /// Takes the cache back to what it shares with `prompt`: all but the prompt's last token at most, whose logits are
    /// needed. Where windowed layers cannot go back that far, to nothing.
    /// - Returns: how the two stand to each other, and the tokens kept.
    /// - Throws: ``ModelsError/emptyPrompt``.
    func keepPrefix(of prompt: [Int32]) throws -> (match: PromptMatch, tokens: Int) {
        guard !prompt.isEmpty else { throw ModelsError.emptyPrompt }
        let (match, common) = PromptMatch.compare(tokens, prompt)
        let wanted = min(common, prompt.count - 1)
        let kept = truncatable.contains(wanted) ? wanted : 0
        try truncate(to: kept)
        return (match, kept)
    }
}
