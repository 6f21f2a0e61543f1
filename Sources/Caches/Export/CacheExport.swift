import Foundation
import Schemes
import Tensors

extension StoredAgent {
    /// Checks every block and writes the cache to one safetensors file.
    /// - Throws: ``CachesError/damaged(file:what:)``, ``CachesError/notExportable(what:form:supported:)``, or
    ///   ``TensorsError/cannotWrite(file:reason:)``; a file that was there before is whole then.
    /// - Parameter card: what a card is to be like; nothing to other forms.
    public func export(
        _ form: ExportForm, to path: String, card request: CardRequest = CardRequest(), workers: WorkerPool? = nil
    ) throws {
        try verify(workers: workers)
        let cache = try place(in: BlockPool(budgetBytes: .max))
        switch form {
        case .safetensors: try exportPlanes(cache).write(to: path, checksum: "checksum")
        case .decoded: try exportDecoded(cache).write(to: path)
        case .mlx: try exportMLX(cache).write(to: path)
        case .card: try CacheCard.make(from: cache, identity: identity, request, workers: workers).write(to: path)
        }
    }

    /// What must match, and what people want to know.
    private func metadata(_ form: String) throws -> [String: String] {
        var metadata = try manifest.metadata()
        metadata["format"] = form
        return metadata
    }

    /// Tensors `tokens` I32 [tokens] and, for each layer, keys and values, and plane, `layers.N.keys.PLANE` U8
    /// [heads, tiles held, bytes per tile], a tile being a token or several. A layer holds the last tokens; how many, the shape
    /// says. Rows that wait in 16-bit floats are `layers.N.keys.residual` U8 [heads, tokens, bytes per token].
    private func exportPlanes(_ cache: AgentCache) throws -> ExportFile {
        var file = ExportFile(metadata: try metadata(CacheImport.format))
        file.add("tokens", cache.tokens)
        for (index, layer) in layout.layers.enumerated() {
            for kind in RowKind.allCases {
                guard let segment = layer.segment(kind) else { continue }
                let positions = cache.encodedPositions(layer: index, kind)
                for (number, plane) in segment.planes.enumerated() {
                    let shape = [layer.spec.kvHeads, positions.count / plane.tileTokens, plane.bytesPerTile]
                    file.add("layers.\(index).\(kind).\(plane.name)", .u8, shape) { sink in
                        for head in 0..<layer.spec.kvHeads {
                            try cache.forEachRun(
                                layer: index, kind, head: head, plane: number, positions: positions
                            ) { try sink(UnsafeRawBufferPointer($0)) }
                        }
                    }
                }
                guard let ring = layer.residual?[kind] else { continue }
                let waiting = cache.waitingPositions(layer: index, kind).count
                file.add("layers.\(index).\(kind).residual", .u8, [layer.spec.kvHeads, waiting, ring.rowBytes]) { sink in
                    for head in 0..<layer.spec.kvHeads {
                        var runs: [UnsafeRawBufferPointer] = []
                        cache.forEachWaitingRun(layer: index, kind, head: head) { runs.append(UnsafeRawBufferPointer($0)) }
                        for run in runs { try sink(run) }
                    }
                }
            }
        }
        return file
    }

    private func exportDecoded(_ cache: AgentCache) throws -> ExportFile {
        var file = ExportFile(metadata: try metadata("kvlab-decoded"))
        file.add("tokens", cache.tokens)
        for (index, layer) in layout.layers.enumerated() {
            let positions = cache.positions(layer: index)
            for kind in RowKind.allCases {
                guard let segment = layer.segment(kind) else { continue }
                let shape = [1, layer.spec.kvHeads, positions.count, segment.width]
                file.add("layers.\(index).\(kind)", .f32, shape) { sink in
                    for head in 0..<layer.spec.kvHeads {
                        try cache.forEachDecoded(layer: index, kind, head: head, positions: positions) {
                            try sink(UnsafeRawBufferPointer($0))
                        }
                    }
                }
            }
        }
        return file
    }
}
