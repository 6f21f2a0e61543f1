import Foundation
import Tensors

extension ModelExport {
    /// Writes a folder as transformers and mlx-lm have it: `config.json` and `model.safetensors`; matrices of `type`,
    /// vectors in 32 bits. The tokenizer of a checkpoint does not come along.
    /// - Parameter folder: made where it is not there; files of these names in it are replaced.
    /// - Returns: the size of the weights' file.
    /// - Throws: ``ModelsError/cannotExport(file:reason:)`` for a type that safetensors files do not hold, or an element
    ///   that the type does not; ``TensorsError/cannotWrite(file:reason:)``; what reading the weights throws.
    @discardableResult
    public func writeFolder(
        to folder: String, type: ExportType, progress: ((_ done: Int, _ total: Int) -> Void)? = nil
    ) throws -> Int {
        guard let dtype = type.dtype else {
            throw ModelsError.cannotExport(
                file: name, reason: "safetensors files hold no \(type.rawValue); choose f32, f16 or bf16")
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try configurationJSON(dtype).write(to: URL(fileURLWithPath: folder + "/config.json"), options: .atomic)
        } catch {
            throw TensorsError.cannotWrite(file: folder + "/config.json", reason: error.localizedDescription)
        }
        let list = try WeightList.of(configuration, execution: execution)
        let declarations = list.map { weight in
            switch weight {
            case .matrix(let matrix):
                SafetensorsWriter.Declaration(name: matrix.name, dtype: dtype, shape: [matrix.rows, matrix.cols])
            case .vector(let vector):
                SafetensorsWriter.Declaration(name: vector.name, dtype: .f32, shape: [vector.count])
            }
        }
        let total = declarations.reduce(0) { $0 + $1.byteCount }
        var done = 0
        return try SafetensorsWriter.write(
            to: folder + "/model.safetensors", metadata: ["format": "pt", "weights": label], tensors: declarations
        ) { put in
            for (weight, declaration) in zip(list, declarations) {
                switch weight {
                case .matrix(let matrix):
                    let rows = try weights.rows(matrix)
                    try write(rows, named: matrix.name, as: type, put)
                    rows.release()
                case .vector(let vector): try weights.values(vector).withUnsafeBytes(put)
                }
                done += declaration.byteCount
                progress?(done, total)
            }
        }
    }

    /// The text model's configuration, with what libraries want beside it.
    private func configurationJSON(_ dtype: DType) throws -> Data {
        let classes = ["llama": "LlamaForCausalLM", "gemma3_text": "Gemma3ForCausalLM", "deepseek_v2": "DeepseekV2ForCausalLM"]
        let names: [DType: String] = [.f32: "float32", .f16: "float16", .bf16: "bfloat16"]
        let text = try file.object("text_config")
        // What a multimodal Gemma calls "gemma3" is "gemma3_text" alone.
        let stated = try file.string("model_type")
        let type = stated == "gemma3" ? "gemma3_text" : stated
        var object: [String: Any] = ["model_type": type, "torch_dtype": names[dtype]!]
        if let name = classes[type] { object["architectures"] = [name] }
        return try (text ?? file).json(replacing: object, without: ["stands_for", "quantization", "quantization_config"])
    }
}
