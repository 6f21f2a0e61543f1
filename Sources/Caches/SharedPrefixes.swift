import Schemes
import Synchronization

/// Blocks of prompts that begin alike, so that agents of one engine hold them together: found by the tokens that they hold
/// and all tokens before, one by one, and not by a hash of them.
///
/// It is for whoever wants it, since isolation is what caches of their own give agents: with it, the time of a first answer
/// tells an agent what another one was asked. It keeps no block alive: a prefix is there as long as some agent has it in
/// memory: where layers have windows, only until the window of whoever computed it has moved on. Nothing is shared of schemes
/// with residual windows, whose newest rows are no blocks, of caches that came through a handoff, and of less than a
/// block. The rows are those of the agent that computed them.
public final class SharedPrefixes: Sendable {
    private let layout: CacheLayout
    private let root = Mutex(Node())

    /// The blocks of 256 tokens behind a prefix.
    private struct Node {
        var next: [ArraySlice<Int32>: Node] = [:]
        /// One for each layer.
        var blocks: [WeakBlock] = []

        /// Does any block of it or behind it live?
        var isAlive: Bool { blocks.contains { $0.block != nil } || next.values.contains(where: \.isAlive) }
    }

    private struct WeakBlock: @unchecked Sendable {
        weak var block: Block?
    }

    /// - Parameter layout: of all caches that share.
    public init(layout: CacheLayout) { self.layout = layout }

    /// Lets others have the whole blocks of `cache`, which are not written from now on. On the agent's own thread.
    public func publish(_ cache: AgentCache) {
        guard !layout.hasResidual, cache.hops == 0, cache.positionOffset == 0, cache.roundTrips.isEmpty,
            cache.layers.allSatisfy({ $0.gap == 0 })
        else { return }
        let whole = cache.count / blockTokens
        root.withLock { root in
            Self.prune(&root)
            Self.add(cache, from: 0, to: whole, at: &root)
        }
    }

    private static func add(_ cache: AgentCache, from column: Int, to end: Int, at node: inout Node) {
        guard column < end else { return }
        let tokens = cache.tokens[(column * blockTokens)..<((column + 1) * blockTokens)]
        var child = node.next[tokens] ?? Node(blocks: cache.layers.map { _ in WeakBlock() })
        for (index, layer) in cache.layers.enumerated() where column >= layer.first && child.blocks[index].block == nil {
            let block = layer.blocks[column - layer.first]
            block.freeze()
            child.blocks[index].block = block
        }
        add(cache, from: column + 1, to: end, at: &child)
        node.next[tokens] = child
    }

    /// Forgets prefixes that nobody holds any more.
    private static func prune(_ node: inout Node) {
        for tokens in node.next.keys {
            if node.next[tokens]!.isAlive { prune(&node.next[tokens]!) } else { node.next[tokens] = nil }
        }
    }

    /// Gives `cache` the longest published prefix of `prompt`, if that is longer than what the cache holds of it: all but
    /// the prompt's last token at most.
    /// - Returns: the tokens that the cache holds then.
    public func extend(_ cache: AgentCache, along prompt: [Int32]) -> Int {
        let found = root.withLock { root in
            var path: [[WeakBlock]] = []
            var node = root
            while (path.count + 1) * blockTokens < prompt.count,
                let next = node.next[prompt[(path.count * blockTokens)..<((path.count + 1) * blockTokens)]]
            {
                path.append(next.blocks)
                node = next
            }
            return path
        }
        for columns in stride(from: found.count, to: cache.count / blockTokens, by: -1) {
            let tokens = columns * blockTokens
            guard tokens > cache.count, let layers = layers(found, tokens: tokens) else { continue }
            cache.replace(tokens: Array(prompt.prefix(tokens)), layers: layers)
            return tokens
        }
        return cache.count
    }

    /// What every layer needs at `tokens` tokens; nil where a block of it is gone.
    private func layers(_ path: [[WeakBlock]], tokens: Int) -> [AgentCache.LayerBlocks]? {
        var layers: [AgentCache.LayerBlocks] = []
        for (index, layer) in layout.layers.enumerated() {
            let held = layer.heldBlocks(at: tokens)
            let blocks = held.compactMap { path[$0][index].block }
            guard blocks.count == held.count else { return nil }
            layers.append(AgentCache.LayerBlocks(first: held.lowerBound, blocks: blocks))
        }
        return layers
    }
}
