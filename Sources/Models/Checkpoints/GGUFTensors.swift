import CKernels
import Tensors

/// The tensors of a GGUF file by the names that HuggingFace gives them, with what the converter did to them undone.
///
/// - Source: llama.cpp `conversion/llama.py`, `gemma.py`, `deepseek.py`; gguf `tensor_mapping.py`.
struct GGUFTensors: CheckpointTensors {
    private let file: GGUFFile
    private let architecture: GGUFArchitecture
    /// Heads of queries and of keys.
    private let heads: (query: Int, key: Int)
    /// 16-bit type for what is dequantized: that of most of the file's own 16-bit floats, else f16.
    private let half: kl_half

    init(_ file: GGUFFile, architecture: GGUFArchitecture, queryHeads: Int, keyHeads: Int) {
        self.file = file
        self.architecture = architecture
        heads = (queryHeads, keyHeads)
        let types = Set(file.tensors.values.map(\.type))
        half = types.contains(.bf16) && !types.contains(.f16) ? KL_BF16 : KL_F16
    }

    var files: [StoredFile] {
        [
            StoredFile(
                file: file.file, headBytes: file.dataStart,
                ranges: file.tensors.values.map(\.range).sorted { $0.lowerBound < $1.lowerBound })
        ]
    }

    /// All but the factors on rotary frequencies, which the configuration has taken in.
    var required: Set<String> { Set(file.tensors.keys).subtracting([GGUFConfiguration.frequencyFactors]) }

    var matrices: [MatrixFacts] {
        file.tensors.values.filter { $0.dimensions.count > 1 && GGMLType.readable.contains($0.type) }.map { tensor in
            MatrixFacts(
                encoding: tensor.type.name, half: tensor.type == .bf16 ? KL_BF16 : half, cols: tensor.cols,
                bytes: tensor.range.count, isRouter: tensor.name.hasSuffix(".ffn_gate_inp.weight"),
                storage: tensor.type.storage(half: half), isQuantized: tensor.type.isQuantized)
        }
    }

    func matrix(_ name: String, rows: Int, cols: Int) throws -> any StoredMatrix {
        let place = try architecture.place(of: name, in: file)
        let tensor = try readable(place.tensor)
        if place.isLatent { return try latent(place, rows: rows, cols: cols) }
        var start = tensor.range.lowerBound
        if let expert = place.expert {
            guard tensor.dimensions.count == 3, tensor.dimensions[2] > expert, tensor.dimensions[...1] == [cols, rows]
            else { throw mismatch(tensor, "[\(cols), \(rows), more than \(expert)]") }
            start += expert * (tensor.range.count / tensor.dimensions[2])
        } else {
            guard tensor.dimensions == [cols, rows] else { throw mismatch(tensor, "[\(cols), \(rows)]") }
        }
        var matrix = block(tensor, start: start, rows: rows, cols: cols)
        if let kind = place.interleaved {
            let count = kind == .query ? heads.query : heads.key
            guard rows % (2 * count) == 0 else { throw mismatch(tensor, "rows of \(count) heads of an even width") }
            matrix.order = .interleaved(width: rows / count)
        }
        return matrix
    }

    func vector(_ name: String, count: Int) throws -> (row: any StoredMatrix, shift: Float) {
        let tensor = try readable(try architecture.place(of: name, in: file).tensor)
        guard tensor.dimensions == [count] else { throw mismatch(tensor, "[\(count)]") }
        return (
            block(tensor, start: tensor.range.lowerBound, rows: 1, cols: count),
            architecture.normShift(name)
        )
    }

    /// `kv_b_proj` from `attn_k_b` [keyWidth, rank, heads] and `attn_v_b` [rank, valueWidth, heads].
    private func latent(_ place: GGUFArchitecture.Place, rows: Int, cols: Int) throws -> LatentMatrix {
        let keys = try readable(place.tensor)
        let values = try readable(place.tensor.replacing("attn_k_b", with: "attn_v_b"))
        guard keys.dimensions.count == 3, keys.dimensions[1] == cols, keys.dimensions[2] == heads.query else {
            throw mismatch(keys, "[keys, \(cols), \(heads.query)]")
        }
        let valueRows = rows - keys.cols * heads.query
        guard values.dimensions.count == 3, values.dimensions[0] == cols, values.dimensions[2] == heads.query,
            values.rows == valueRows
        else { throw mismatch(values, "[\(cols), \(valueRows / heads.query), \(heads.query)]") }
        return try LatentMatrix(
            heads: heads.query,
            keys: block(keys, start: keys.range.lowerBound, rows: keys.rows, cols: keys.cols),
            values: block(values, start: values.range.lowerBound, rows: values.rows, cols: cols))
    }

    private func block(_ tensor: GGUFFile.Tensor, start: Int, rows: Int, cols: Int) -> BlockMatrix {
        BlockMatrix(
            file: file.file, tensors: [tensor.name], type: tensor.type, start: start, rows: rows, cols: cols, half: half
        )
    }

    /// A tensor of a type that can be dequantized.
    private func readable(_ name: String) throws -> GGUFFile.Tensor {
        let tensor = try file.tensor(name)
        guard GGMLType.readable.contains(tensor.type) else {
            throw ModelsError.unsupported(
                file: file.file.path, what: "the type of tensor '\(name)',", found: tensor.type.name,
                supported: GGMLType.readable.map(\.name))
        }
        return tensor
    }

    private func mismatch(_ tensor: GGUFFile.Tensor, _ expected: String) -> TensorsError {
        .wrongTensor(
            file: file.file.path, tensor: tensor.name, expected: expected,
            found: "\(tensor.type.name) \(tensor.dimensions) at byte \(tensor.range.lowerBound)")
    }
}
