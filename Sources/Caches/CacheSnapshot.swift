import Schemes
import Tensors

/// An agent's cache as it was at one moment, to be saved while the agent goes on.
///
/// Whole blocks are shared with the agent and frozen: an agent that goes back and writes there gets a copy. The rows
/// of the unfilled last blocks are copied, and those that wait in 16-bit floats.
public struct CacheSnapshot: @unchecked Sendable {
    public let agent: String
    public let layout: CacheLayout
    public let tokens: [Int32]
    public let textHash: String?
    public let hops: Int
    /// Whole blocks of every layer.
    let layers: [AgentCache.LayerBlocks]
    /// The least count that the cache can go back to with the rows that wait in 16-bit floats.
    let leastCount: Int
    /// Rows of the unfilled blocks and rows that wait, layer after layer, packed.
    let tail: AlignedBuffer

    /// Tokens in whole blocks.
    var sealedTokens: Int { layout.sealedTokens(at: tokens.count) }
}

extension AgentCache {
    /// The cache as it is now. On the agent's own thread.
    /// - Throws: ``TensorsError/outOfMemory(bytes:)``.
    public func snapshot() throws -> CacheSnapshot {
        precondition(positionOffset == 0, "a cache that begins at another position cannot be saved")
        let tails = layout.tails(count: count, least: leastCount, firstBlocks: layers.map(\.first))
        let tail = try AlignedBuffer(byteCount: tails.reduce(0) { $0 + $1.byteCount })
        var out = tail.pointer
        var sealed = layers
        for (index, layer) in tails.enumerated() {
            let held = layers[index]
            // There may be room for more tokens than there are.
            let whole = max(0, min(layer.blocks.lowerBound - held.first, held.blocks.count))
            sealed[index].blocks.removeLast(held.blocks.count - whole)
            sealed[index].residual = nil
            sealed[index].staging = nil
            for block in sealed[index].blocks { block.freeze() }
            for block in layer.blocks {
                layer.pack(block: block, from: held.blocks[block - held.first].pointer, into: out)
                out += layer.packedBytes(block: block)
            }
            layer.forEachRun { offset, bytes in
                out.copyMemory(from: held.residual!.pointer + offset, byteCount: bytes)
                out += bytes
            }
        }
        return CacheSnapshot(
            agent: agent, layout: layout, tokens: tokens, textHash: textHash, hops: hops, layers: sealed,
            leastCount: leastCount, tail: tail)
    }
}
