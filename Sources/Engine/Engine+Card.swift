import Caches
import Models

extension Engine {
    /// Makes a card of a part of an agent's context: see ``CacheCard/make(from:identity:_:turn:workers:)``.
    /// - Parameter tokenizer: fingerprint of the tokenizer, or "none" where token ids come from elsewhere.
    public func card(of cache: AgentCache, _ request: CardRequest = CardRequest(), tokenizer: String = "none") throws -> CacheCard {
        let turn = request.keys == .unrotated
            ? model.keyRotations.turn(from: try cache.positions(of: request.part), to: nil) : nil
        return try CacheCard.make(
            from: cache, identity: CacheIdentity(model: model, tokenizer: tokenizer), request, turn: turn,
            workers: execution.workers)
    }

    /// Puts a card's tokens behind what an agent's cache holds, its keys turned to the positions where they go.
    ///
    /// Keys and values are those that the sender's model computed in the sender's context: they know nothing of what the
    /// receiver has before them. A prefill of the same tokens after the receiver's own gives others; it gives the same
    /// where the receiver has nothing before them and the card has all of the sender's context. Tokens that follow see
    /// both contexts.
    /// - Parameters:
    ///   - tokenizer: fingerprint of the receiver's tokenizer, or "none".
    ///   - anyScheme: may the card be in other schemes than the cache? Its rows are encoded anew then.
    /// - Throws: ``CachesError/mismatch(file:what:expected:found:)``,
    ///   ``ModelsError/contextTooLong(tokens:limit:model:)``, ``ModelsError/tokenOutOfRange(token:position:vocabulary:)`` or
    ///   what ``AgentCache/append(_:turn:workers:)`` throws; the cache is as before then.
    public func inject(
        _ card: CacheCard, into cache: AgentCache, tokenizer: String = "none", anyScheme: Bool = false
    ) throws {
        try card.check(
            identity: CacheIdentity(model: model, tokenizer: tokenizer), layout: cache.layout, anyScheme: anyScheme)
        let header = card.header
        let positions = cache.nextPositions(header.tokenCount)
        guard Int(positions.last!) < model.contextLimit else {
            throw ModelsError.contextTooLong(tokens: Int(positions.last!) + 1, limit: model.contextLimit, model: model.name)
        }
        for (index, token) in header.tokens.enumerated() where Int(token) >= model.vocabularySize {
            throw ModelsError.tokenOutOfRange(token: token, position: index, vocabulary: model.vocabularySize)
        }
        let from = header.keys == .rotated ? header.positions : nil
        try cache.append(
            card, turn: from == positions ? nil : model.keyRotations.turn(from: from, to: positions),
            workers: execution.workers)
    }
}
