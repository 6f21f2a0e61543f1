import Caches
import Engine

/// Hands a context from agent to agent: each makes a card of what it was given, and the next takes it into an empty cache.
struct HopChain {
    /// A context that has come to an agent.
    struct Arrival {
        /// Handoffs so far.
        let hop: Int
        let cache: AgentCache
        let card: CacheCard
        /// The card of the hop before.
        let previous: CacheCard?

        /// Bytes of keys and values that the last encoding changed; nil on the first hop, and where precisions changed.
        var changedBytes: Int? {
            guard let previous, previous.header.precision == card.header.precision else { return nil }
            return card.differingBytes(from: previous)
        }
    }

    let engine: Engine
    /// How the agents' own caches are stored.
    let layout: CacheLayout
    let keys: CardKeys
    /// Where each agent's context begins, the first agent's first.
    let places: [Int]

    /// An empty cache of the agent that `hop` handoffs reach.
    func cache(_ hop: Int) -> AgentCache {
        AgentCache(
            agent: "agent \(hop)", layout: layout, pool: BlockPool(budgetBytes: .max), positionOffset: places[hop])
    }

    /// - Parameters:
    ///   - precisions: of the card of each hop.
    ///   - visit: is called with each arrival, the next card being made already: the cache is its own to go on with.
    /// - Throws: what ``Engine/card(of:_:tokenizer:)`` and ``Engine/inject(_:into:tokenizer:anyScheme:)`` throw.
    func run(from first: AgentCache, precisions: [CardPrecision], visit: (Arrival) throws -> Void) throws {
        var card = try self.card(of: first, precisions[0])
        var previous: CacheCard?
        for hop in 1...precisions.count {
            let cache = cache(hop)
            try engine.inject(card, into: cache, anyScheme: true)
            let next = hop < precisions.count ? try self.card(of: cache, precisions[hop]) : nil
            try visit(Arrival(hop: hop, cache: cache, card: card, previous: previous))
            previous = card
            if let next { card = next }
        }
    }

    private func card(of cache: AgentCache, _ precision: CardPrecision) throws -> CacheCard {
        var request = CardRequest()
        request.precision = .tokens(precision)
        request.keys = keys
        return try engine.card(of: cache, request)
    }
}
