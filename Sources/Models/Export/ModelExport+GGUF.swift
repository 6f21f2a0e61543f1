import Caches
import Foundation
import Tensors

extension ModelExport {
    /// A tensor of the file, and how to get what it holds.
    private struct Output {
        let declaration: GGUFWriter.Declaration
        let type: ExportType
        /// Matrices that follow each other: the experts of a stack.
        var parts: [() throws -> any MatrixRows]
    }

    /// Writes a GGUF file: matrices of `type` where their rows are whole blocks of it, else F16; norms and routers F32.
    /// - Parameters:
    ///   - mlaForm: for models with latent attention: `latent` as llama.cpp's converter writes them now, `expanded` as
    ///     it did before, which llama.cpp runs with the keys and values of every head.
    ///   - progress: bytes of tensors written, and of all.
    /// - Returns: the size of the file.
    /// - Throws: ``ModelsError/cannotExport(file:reason:)``, ``TensorsError/cannotWrite(file:reason:)``, or what reading
    ///   the weights throws; an old file stays whole then.
    @discardableResult
    public func writeGGUF(
        to path: String, type: ExportType, mlaForm: MLAForm = .latent, progress: ((_ done: Int, _ total: Int) -> Void)? = nil
    ) throws -> Int {
        var metadata = try GGUFMetadata(configuration, file: file, name: name, mlaForm: mlaForm)
        metadata.set("general.file_type", .uint32(type.fileType))
        metadata.set("general.quantization_version", .uint32(2))
        metadata.set("general.description", .text(weights.label))
        let rows = configuration.vocabularySize
        for (key, value) in try tokenizer?.keys(rows: rows) ?? PlaceholderVocabulary.keys(size: rows) { metadata.set(key, value) }
        let outputs = try outputs(metadata, type, mlaForm)
        let total = outputs.reduce(0) { $0 + $1.declaration.byteCount }
        var done = 0
        return try GGUFWriter.write(to: path, metadata: metadata.keys, tensors: outputs.map { $0.declaration }) { index, put in
            let output = outputs[index]
            for part in output.parts {
                let rows = try part()
                try write(rows, named: output.declaration.name, as: output.type, put)
                rows.release()
            }
            done += output.declaration.byteCount
            progress?(done, total)
        }
    }

    private func outputs(_ metadata: GGUFMetadata, _ type: ExportType, _ mlaForm: MLAForm) throws -> [Output] {
        let architecture = metadata.architecture
        var outputs: [Output] = []
        var indices: [String: Int] = [:]
        func add(_ name: String, _ type: ExportType, _ dimensions: [Int], _ part: @escaping () throws -> any MatrixRows) {
            indices[name] = outputs.count
            outputs.append(
                Output(
                    declaration: GGUFWriter.Declaration(name: name, type: type.ggml, dimensions: dimensions), type: type,
                    parts: [part]))
        }
        if let factors = metadata.frequencyFactors {
            add(GGUFConfiguration.frequencyFactors, .f32, [factors.count]) { VectorRow(values: factors) }
        }
        for weight in try WeightList.of(configuration, execution: execution) {
            guard let place = architecture.place(of: weight.name) else {
                throw ModelsError.cannotExport(file: name, reason: "GGUF files of \(architecture.rawValue) have no place for '\(weight.name)'")
            }
            switch weight {
            case .vector(let vector):
                let shift = -architecture.normShift(vector.name)
                add(place.tensor, .f32, [vector.count]) {
                    VectorRow(values: try weights.values(vector).map { shift == 0 ? $0 : $0 + shift })
                }
            case .matrix(let matrix):
                let fitting = weight.name.hasSuffix(FolderNames.router) ? .f32 : type.fitting(cols: matrix.cols)
                if place.tensor.hasSuffix(".attn_kv_b.weight"), mlaForm == .latent {
                    addLatent(place.tensor, matrix, type, add)
                } else if let expert = place.expert, expert > 0 {
                    outputs[indices[place.tensor]!].parts.append { try weights.rows(matrix) }
                } else if place.expert == 0 {
                    add(place.tensor, fitting, [matrix.cols, matrix.rows, expertCount]) { try weights.rows(matrix) }
                } else {
                    add(place.tensor, fitting, [matrix.cols, matrix.rows]) { try ordered(matrix, place) }
                }
            }
        }
        return outputs
    }

    private var expertCount: Int { (configuration as? DeepSeekV2Configuration)?.experts.count ?? 0 }

    /// Rows in the order of GGUF files, which lay the two halves of a rotated head together.
    private func ordered(_ matrix: WeightList.Matrix, _ place: GGUFArchitecture.Place) throws -> any MatrixRows {
        let rows = try weights.rows(matrix)
        guard place.interleaved != nil, let llama = configuration as? LlamaConfiguration else { return rows }
        let width = llama.headWidth
        return ReorderedRows(base: rows, rows: rows.rows) { row in
            let inHead = row % width
            return row - inHead + inHead / 2 + inHead % 2 * (width / 2)
        }
    }

    /// The halves of `kv_b_proj`: `attn_k_b`, turned, and `attn_v_b`.
    private func addLatent(
        _ tensor: String, _ matrix: WeightList.Matrix, _ type: ExportType,
        _ add: (String, ExportType, [Int], @escaping () throws -> any MatrixRows) -> Void
    ) {
        guard let model = configuration as? DeepSeekV2Configuration else { return }
        let (keys, values) = (model.nopeWidth, model.valueWidth)
        add(tensor.replacing("attn_kv_b", with: "attn_k_b"), type.fitting(cols: keys), [keys, matrix.cols, model.heads]) {
            try TurnedHeads(weights.rows(matrix), headRows: keys + values, count: keys)
        }
        add(tensor.replacing("attn_kv_b", with: "attn_v_b"), type.fitting(cols: matrix.cols), [matrix.cols, values, model.heads]) {
            ReorderedRows(base: try weights.rows(matrix), rows: model.heads * values) { row in
                row / values * (keys + values) + keys + row % values
            }
        }
    }
}

/// A vector as a matrix of one row.
private struct VectorRow: MatrixRows {
    let values: [Float]
    var rows: Int { 1 }
    var cols: Int { values.count }

    func decode(row: Int, into out: UnsafeMutablePointer<Float>) {
        out.update(from: values, count: values.count)
    }
}
