import Schemes
import Tensors

/// An agent's cache as it was at one moment, to be saved while the agent goes on.
///
/// Whole blocks are shared with the agent and frozen: an agent that goes back and writes there gets a copy. The rows
/// of the unfilled last blocks are copied, one block of every layer at most.
public struct CacheSnapshot: @unchecked Sendable {
    public let agent: String
    public let layout: CacheLayout
    public let tokens: [Int32]
    public let textHash: String?
    /// Whole blocks of every layer.
    let layers: [AgentCache.LayerBlocks]
    /// Rows of the unfilled blocks, layer after layer, packed.
    let tail: AlignedBuffer

    /// Tokens in whole blocks.
    var sealedTokens: Int { tokens.count / blockTokens * blockTokens }
}

extension AgentCache {
    /// The cache as it is now. On the agent's own thread.
    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    public func snapshot() throws -> CacheSnapshot {
        let rows = count % blockTokens
        let tail = try AlignedBuffer(byteCount: layout.layers.reduce(0) { $0 + $1.packedBytes(rows: rows) })
        var offset = 0
        var sealed = layers
        for (index, layer) in layout.layers.enumerated() {
            // There may be room for more tokens than there are.
            let whole = count / blockTokens - layers[index].first
            sealed[index].blocks.removeLast(layers[index].blocks.count - whole)
            for block in sealed[index].blocks { block.freeze() }
            if rows > 0 {
                layer.pack(rows: rows, from: layers[index].blocks[whole].pointer, into: tail.pointer + offset)
                offset += layer.packedBytes(rows: rows)
            }
        }
        return CacheSnapshot(
            agent: agent, layout: layout, tokens: tokens, textHash: textHash, layers: sealed, tail: tail)
    }
}
