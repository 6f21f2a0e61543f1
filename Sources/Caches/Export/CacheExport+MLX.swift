import CKernels
import Schemes
import Tensors

/// The prompt cache of mlx-lm: one cache object per layer.
///
/// - `QuantizedKVCache` where keys and values are stored in MLX's affine format with the same bits and groups: the stored
///   bytes, as they are;
/// - `KVCache` otherwise, rows decoded to floats;
/// - `RotatingKVCache` for windowed layers, which mlx-lm does not quantize: the rows of the window, decoded.
///
/// The file holds the flattened tree of the states (`LAYER.0` keys, `LAYER.1` values, numbers as scalar tensors), and in its
/// metadata that of [metadata, classes, scalars].
/// - Source: `mlx_lm/models/cache.py`, `save_prompt_cache` and `load_prompt_cache`, mlx-lm 0.32.2.
extension StoredAgent {
    func exportMLX(_ cache: AgentCache) throws -> ExportFile {
        guard layout.spec.mlaForm == .none else {
            throw CachesError.notExportable(
                what: "A cache of latent attention", form: ExportForm.mlx.rawValue, supported: "keys and values of heads")
        }
        var classes: [String] = []
        var scalars: [String] = []
        var body = ExportFile(metadata: [:])
        func add(_ numbers: [Int], of layer: Int, from first: Int) {
            for (index, number) in numbers.enumerated() {
                scalars.append("\(layer).\(first + index)")
                body.add(scalars.last!, [Int32(number)], shape: [])
            }
        }
        for (index, layer) in layout.layers.enumerated() {
            if let window = layer.spec.window {
                let held = max(cache.positions(layer: index).lowerBound, cache.count - window)..<cache.count
                classes.append("RotatingKVCache")
                addFloats(cache, layer: index, positions: held, to: &body)
                add([cache.count, 0, window, held.count], of: index, from: 2)
            } else if let affine = layer.keys.scheme as? AffineScheme, affine.name == layer.values?.scheme.name {
                classes.append("QuantizedKVCache")
                addPacked(cache, layer: index, affine, to: &body)
                add([cache.count, affine.groupSize, affine.bits], of: index, from: 2)
            } else {
                classes.append("KVCache")
                addFloats(cache, layer: index, positions: 0..<cache.count, to: &body)
                add([cache.count], of: index, from: 2)
            }
        }
        var metadata = ["0.model": identity.model, "0.agent": agent, "0.scheme": layout.scheme.description, "2.0": ""]
        for (index, name) in classes.enumerated() { metadata["1.\(index)"] = name }
        for (index, name) in scalars.enumerated() {
            metadata["2.\(index + 1).0"] = name
            metadata["2.\(index + 1).1"] = "scalar"
        }
        return ExportFile(metadata: metadata, tensors: body.tensors)
    }

    /// Codes U32 [1, heads, tokens, width · bits / 32], scales and biases [1, heads, tokens, width / group].
    private func addPacked(_ cache: AgentCache, layer index: Int, _ scheme: AffineScheme, to body: inout ExportFile) {
        let layer = layout.layers[index]
        let half: DType = scheme.half == KL_F16 ? .f16 : .bf16
        for (place, kind) in RowKind.allCases.enumerated() {
            for (number, plane) in layer.segment(kind)!.planes.enumerated() {
                let dtype = number == 0 ? DType.u32 : half
                let shape = [1, layer.spec.kvHeads, cache.count, plane.bytesPerTile / dtype.size]
                body.add("\(index).\(place).\(number)", dtype, shape) { sink in
                    for head in 0..<layer.spec.kvHeads {
                        try cache.forEachRun(layer: index, kind, head: head, plane: number, positions: 0..<cache.count) {
                            try sink(UnsafeRawBufferPointer($0))
                        }
                    }
                }
            }
        }
    }

    /// Rows [1, heads, tokens, width], in the float type that they were stored in, else in 16 bits.
    private func addFloats(_ cache: AgentCache, layer index: Int, positions: Range<Int>, to body: inout ExportFile) {
        let layer = layout.layers[index]
        for (place, kind) in RowKind.allCases.enumerated() {
            let segment = layer.segment(kind)!
            let dtype: DType = ["fp32": .f32, "bf16": .bf16][segment.scheme.name] ?? .f16
            let shape = [1, layer.spec.kvHeads, positions.count, segment.width]
            body.add("\(index).\(place)", dtype, shape) { sink in
                for head in 0..<layer.spec.kvHeads {
                    try cache.forEachDecoded(layer: index, kind, head: head, positions: positions) { rows in
                        guard dtype != .f32 else { return try sink(UnsafeRawBufferPointer(rows)) }
                        let halves = [UInt16](unsafeUninitializedCapacity: rows.count) { halves, count in
                            kl_f32_to_half(
                                kl_isa_best(), dtype == .bf16 ? KL_BF16 : KL_F16, rows.baseAddress!, rows.count,
                                halves.baseAddress!)
                            count = rows.count
                        }
                        try halves.withUnsafeBytes(sink)
                    }
                }
            }
        }
    }
}
