import CKernels
import Foundation
import Schemes
import Tensors

/// A cache that was exported in the form `safetensors`.
public struct CacheImport {
    static let format = "kvlab-export"

    private let file: SafetensorsFile
    private let manifest: Manifest
    private let tokens: [Int32]

    public var agent: String { manifest.agent }
    public var identity: CacheIdentity { manifest.identity }
    public var tokenCount: Int { tokens.count }

    /// Opens the file and checks all of its bytes.
    /// - Throws: ``CachesError/notAnExport(file:problem:)``, ``CachesError/damaged(file:what:)``,
    ///   ``CachesError/mismatch(file:what:expected:found:)`` or a ``TensorsError``.
    public init(path: String) throws {
        file = try SafetensorsFile(path: path)
        guard file.metadata["format"] == Self.format else {
            throw CachesError.notAnExport(
                file: path,
                problem: "its format is '\(file.metadata["format"] ?? "not given")'; "
                    + "'cache export --form safetensors' writes '\(Self.format)'")
        }
        let bytes = file.file.bytes
        let sum = try file.entry("checksum")
        guard sum.dtype == .u32, sum.shape == [1], sum.range.upperBound == bytes.count,
            kl_crc32c(0, bytes.baseAddress!, sum.range.lowerBound)
                == UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: sum.range.lowerBound, as: UInt32.self))
        else { throw CachesError.damaged(file: path, what: "it does not match its checksum") }
        let entry = try file.entry("tokens")
        let data = file.bytes(of: entry)
        guard entry.dtype == .i32, entry.shape.count == 1 else {
            throw CachesError.damaged(file: path, what: "its tokens are no list of I32")
        }
        tokens = (0..<entry.shape[0]).map { Int32(littleEndian: data.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self)) }
        manifest = try Manifest.describing(metadata: file.metadata, file: path)
        guard manifest.tokenCount == tokens.count else {
            throw CachesError.damaged(file: path, what: "token count and tokens do not agree")
        }
    }

    /// Saves the cache in `folder`.
    /// - Parameter agent: a name of its own; the exported one by default.
    /// - Throws: ``CachesError/agentExists(agent:folder:)``, ``CachesError/damaged(file:what:)`` or what
    ///   ``AgentFolder/save(_:identity:)`` throws.
    @discardableResult
    public func save(in folder: CacheFolder, as agent: String? = nil) throws -> SaveReport {
        let name = agent ?? manifest.agent
        let place = folder.agent(name)
        guard !place.exists else { throw CachesError.agentExists(agent: name, folder: folder.path) }
        if let reason = folder.readOnlyReason { throw CachesError.readOnly(folder: folder.path, reason: reason) }
        return try place.save(cache(name).snapshot(), identity: manifest.identity)
    }

    /// The cache with all of its blocks in memory.
    func cache(_ agent: String) throws -> AgentCache {
        let pool = BlockPool(budgetBytes: .max)
        let layout = manifest.layout
        var layers: [AgentCache.LayerBlocks] = []
        for (index, group) in manifest.groupOfLayer.enumerated() {
            let first = manifest.firstBlocks[group]
            let blocks = try (first..<max(first, (tokens.count + blockTokens - 1) / blockTokens)).map { _ in
                try pool.allocate(layout.layers[index].blockBytes)
            }
            let residualBytes = tokens.isEmpty ? 0 : layout.layers[index].residualBytes
            layers.append(
                AgentCache.LayerBlocks(
                    first: first, blocks: blocks, residual: residualBytes == 0 ? nil : try pool.allocate(residualBytes),
                    gap: manifest.gaps[group]))
        }
        let cache = AgentCache(
            agent: agent, layout: layout, pool: pool, tokens: tokens, textHash: manifest.textHash, hops: manifest.hops,
            leastCount: manifest.leastCount, layers: layers)
        for (index, layer) in layout.layers.enumerated() {
            for kind in RowKind.allCases {
                guard let segment = layer.segment(kind) else { continue }
                for (number, plane) in segment.planes.enumerated() {
                    let positions = cache.encodedPositions(layer: index, kind)
                    try fill(
                        "layers.\(index).\(kind).\(plane.name)",
                        [layer.spec.kvHeads, positions.count / plane.tileTokens, plane.bytesPerTile]
                    ) { head, take in
                        cache.forEachRun(layer: index, kind, head: head, plane: number, positions: positions, take)
                    }
                }
                guard let ring = layer.residual?[kind] else { continue }
                let waiting = cache.waitingPositions(layer: index, kind).count
                try fill("layers.\(index).\(kind).residual", [layer.spec.kvHeads, waiting, ring.rowBytes]) { head, take in
                    cache.forEachWaitingRun(layer: index, kind, head: head, take)
                }
            }
        }
        return cache
    }

    /// Copies a tensor, head by head, to where `runs` says.
    private func fill(
        _ name: String, _ shape: [Int], to runs: (_ head: Int, _ take: (UnsafeMutableRawBufferPointer) -> Void) -> Void
    ) throws {
        let entry = try file.entry(name)
        guard entry.dtype == .u8, entry.shape == shape else {
            throw TensorsError.wrongTensor(
                file: file.file.path, tensor: name, expected: "U8 \(shape)",
                found: "\(entry.dtype.rawValue) \(entry.shape)")
        }
        var rest = file.bytes(of: entry)
        for head in 0..<shape[0] {
            runs(head) { run in
                run.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(run.count)))
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(run.count))
            }
        }
    }
}
