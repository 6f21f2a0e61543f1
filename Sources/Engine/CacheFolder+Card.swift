import Caches
import Models
import Schemes
import Tensors

extension CacheFolder {
    /// Saves a card as the cache of an agent, or behind the cache that the agent has.
    /// - Parameters:
    ///   - behind: does the agent have a cache that the card's tokens follow?
    ///   - scheme: what to save in; the card's own where nil, or the agent's.
    ///   - rotations: how the model turns keys; needed where they go to other positions.
    /// - Throws: ``CachesError/agentExists(agent:folder:)``, ``CachesError/noAgent(agent:folder:)``,
    ///   ``CachesError/mismatch(file:what:expected:found:)`` when agent or model are not the card's,
    ///   ``EngineError/needsRotations(card:from:to:)``, ``EngineError/mixedPrecision(card:schemes:)`` or what
    ///   ``AgentFolder/save(_:identity:)`` throws.
    public func take(
        _ card: CacheCard, as name: String, behind: Bool = false, scheme: CacheScheme? = nil, rotations: KeyRotations?,
        workers: WorkerPool? = nil
    ) throws -> SaveReport {
        let header = card.header
        let place = agent(name)
        guard behind || !place.exists else { throw CachesError.agentExists(agent: name, folder: path) }
        if let readOnlyReason { throw CachesError.readOnly(folder: path, reason: readOnlyReason) }
        if let rotations, rotations.fingerprint != header.identity.rope {
            throw CachesError.mismatch(
                file: card.name, what: "RoPE", expected: rotations.fingerprint, found: header.identity.rope)
        }
        let pool = BlockPool(budgetBytes: .max)
        let cache: AgentCache
        if behind {
            cache = try place.load(identity: header.identity, layout: nil, pool: pool, workers: workers).cache
            try card.check(identity: header.identity, layout: cache.layout, anyScheme: true)
        } else {
            guard let scheme = scheme ?? (header.precision.schemes.count == 1 ? header.precision.schemes[0] : nil) else {
                throw EngineError.mixedPrecision(card: card.name, schemes: header.precision.schemes.map(\.description))
            }
            cache = AgentCache(
                agent: name, layout: try CacheLayout(spec: header.spec, scheme: scheme, windowPolicy: header.windowPolicy),
                pool: pool)
            cache.textHash = header.textHash
        }
        let positions = cache.nextPositions(header.tokenCount)
        var turn: KeyTurn?
        if header.keys == .unrotated || header.positions != positions {
            guard let rotations else {
                throw EngineError.needsRotations(
                    card: card.name, from: header.keys == .unrotated ? "no position" : "position \(header.positions[0]) on",
                    to: cache.count)
            }
            turn = rotations.turn(from: header.keys == .rotated ? header.positions : nil, to: positions)
        }
        try cache.append(card, turn: turn, workers: workers)
        return try place.save(cache.snapshot(), identity: header.identity)
    }
}
