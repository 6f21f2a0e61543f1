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
            layers.append(AgentCache.LayerBlocks(first: first, blocks: blocks))
        }
        let cache = AgentCache(
            agent: agent, layout: layout, pool: pool, tokens: tokens, textHash: manifest.textHash, layers: layers)
        for (index, layer) in layout.layers.enumerated() {
            for kind in RowKind.allCases {
                guard let segment = layer.segment(kind) else { continue }
                for (number, plane) in segment.planes.enumerated() {
                    try fill(cache, layer: index, kind, plane: number, bytesPerToken: plane.bytesPerToken, name: plane.name)
                }
            }
        }
        return cache
    }

    private func fill(
        _ cache: AgentCache, layer: Int, _ kind: RowKind, plane: Int, bytesPerToken: Int, name: String
    ) throws {
        let entry = try file.entry("layers.\(layer).\(kind).\(name)")
        let positions = cache.positions(layer: layer)
        let heads = manifest.layout.layers[layer].spec.kvHeads
        guard entry.dtype == .u8, entry.shape == [heads, positions.count, bytesPerToken] else {
            throw TensorsError.wrongTensor(
                file: file.file.path, tensor: entry.name, expected: "U8 \([heads, positions.count, bytesPerToken])",
                found: "\(entry.dtype.rawValue) \(entry.shape)")
        }
        var rest = file.bytes(of: entry)
        for head in 0..<heads {
            cache.forEachRun(layer: layer, kind, head: head, plane: plane, positions: positions) { run in
                run.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(run.count)))
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(run.count))
            }
        }
    }
}
