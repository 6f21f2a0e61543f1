import CKernels
import Schemes

/// The caches of the agents that step together: a ragged batch over their own blocks.
///
/// MLX's `BatchQuantizedKVCache` copies the caches of a batch into one array, padded on the left to the longest, and
/// copies them apart again afterwards. Here a row of the batch *is* the agent's cache: merging and extracting move a
/// reference, rows have the lengths they have, and what attention fetches is read where it lies. Agents join and leave
/// between any two steps.
///
/// A step is: ``reserve(_:)``, then ``update(row:layer:head:keys:keyStride:values:valueStride:count:isa:)`` for every
/// row, layer and head, then ``commit(_:)``; ``fetch(row:layer:head:upTo:)`` gives what is stored at any time.
///
/// ```swift
/// batch.merge(anna)                  // 4,096 tokens
/// batch.merge(ben)                   // 17 tokens
/// try batch.reserve([1, 1])          // both decode one token
/// let anna = batch.extract("anna")   // ben goes on alone
/// ```
public struct BatchQuantizedKVCache {
    /// One cache for each agent, in the order of joining.
    public private(set) var rows: [AgentCache] = []

    public init(_ caches: [AgentCache] = []) {
        for cache in caches { merge(cache) }
    }

    /// Agents in the batch.
    public var count: Int { rows.count }
    /// Tokens of each agent.
    public var lengths: [Int] { rows.map(\.count) }
    /// Bytes of all agents' blocks.
    public var storedBytes: Int { rows.reduce(0) { $0 + $1.storedBytes } }

    /// Bytes that the batch would take if every agent were padded to the longest: what is saved by not doing so.
    public var paddedBytes: Int {
        guard let longest = lengths.max() else { return 0 }
        return rows.reduce(0) { $0 + $1.layout.agentBytes(tokens: longest) }
    }

    /// The agent's cache joins.
    /// - Returns: its row.
    /// - Precondition: the cache is in the batch only once.
    @discardableResult
    public mutating func merge(_ cache: AgentCache) -> Int {
        precondition(!rows.contains { $0 === cache }, "agent '\(cache.agent)' is in the batch already")
        rows.append(cache)
        return rows.count - 1
    }

    /// The agent leaves with its cache; rows behind it move up. nil when it is not in the batch.
    @discardableResult
    public mutating func extract(_ agent: String) -> AgentCache? {
        rows.firstIndex { $0.agent == agent }.map { rows.remove(at: $0) }
    }

    /// Makes room for `counts[row]` more tokens of every row, all or nothing.
    /// - Throws: ``CachesError/budgetExceeded(needed:used:budget:)``; no row holds more than before then.
    public func reserve(_ counts: [Int]) throws {
        precondition(counts.count == rows.count, "\(counts.count) counts for \(rows.count) rows")
        do {
            for (row, count) in zip(rows, counts) { try row.reserve(count) }
        } catch {
            for row in rows { row.releaseUnused() }
            throw error
        }
    }

    /// Encodes `count` new rows of one agent and head: see
    /// ``AgentCache/store(layer:head:keys:keyStride:values:valueStride:count:isa:)``.
    public func update(
        row: Int, layer: Int, head: Int, keys: UnsafePointer<Float>, keyStride: Int, values: UnsafePointer<Float>,
        valueStride: Int, count: Int, isa: kl_isa
    ) {
        rows[row].store(
            layer: layer, head: head, keys: keys, keyStride: keyStride, values: values, valueStride: valueStride,
            count: count, isa: isa)
    }

    /// The new rows of every agent count from now on.
    public func commit(_ tokens: [ArraySlice<Int32>]) {
        precondition(tokens.count == rows.count, "\(tokens.count) lists of tokens for \(rows.count) rows")
        for (row, new) in zip(rows, tokens) { row.commit(new) }
    }
}

extension BatchQuantizedKVCache {
    /// A stretch of an agent's stored rows, in place.
    public struct Stretch {
        /// Position of its first token in the agent's context.
        public let position: Int
        public let count: Int
        public let keys: Segment
        /// nil where values are a part of the keys.
        public let values: Segment?
    }

    /// What row `row` stores of a head, block by block, positions `0 ..< end`; of a windowed layer, what it still
    /// holds of them. Rows that wait in 16-bit floats are not among them: see
    /// ``AgentCache/readWaiting(_:layer:head:positions:into:isa:)``.
    public func fetch(row: Int, layer: Int, head: Int, upTo end: Int) -> [Stretch] {
        let cache = rows[row]
        let layout = cache.layout.layers[layer]
        let end = min(
            end, layout.keys.firstWaiting(at: cache.count), layout.values?.firstWaiting(at: cache.count) ?? .max)
        return stride(from: cache.firstPosition(layer: layer), to: end, by: blockTokens).map { position in
            let base = cache.block(layer: layer, holding: position)
            return Stretch(
                position: position, count: min(blockTokens, end - position),
                keys: layout.keySegment(head: head, in: base),
                values: layout.values == nil ? nil : layout.valueSegment(head: head, in: base))
        }
    }
}
