import Foundation
import Tensors

extension GGUFConfiguration {
    /// `rope_scaling` from the keys; nil where there is none.
    func scaling() throws -> [String: Any]? {
        let type = try file.text(key("rope.scaling.type"))
        switch type {
        case nil:
            let factor = try number("rope.scale_linear", default: 1)
            return factor == 1 ? nil : ["rope_type": "linear", "factor": factor]
        case "none"?: return nil
        case "linear"?: return ["rope_type": "linear", "factor": try number("rope.scaling.factor")]
        case "yarn"?: return try yarn()
        case let other?:
            throw ModelsError.unsupported(
                file: file.file.path, what: key("rope.scaling.type"), found: other,
                supported: ["none", "linear", "yarn"])
        }
    }

    /// The converter writes a tenth of `mscale_all_dim` and leaves `mscale` out; llama.cpp takes both for equal.
    private func yarn() throws -> [String: Any] {
        var object: [String: Any] = [
            "rope_type": "yarn", "factor": try number("rope.scaling.factor"),
            "original_max_position_embeddings": try integer("rope.scaling.original_context_length"),
            "beta_fast": try number("rope.scaling.yarn_beta_fast", default: 32),
            "beta_slow": try number("rope.scaling.yarn_beta_slow", default: 1),
        ]
        if has("rope.scaling.yarn_log_multiplier") {
            let scale = (try number("rope.scaling.yarn_log_multiplier") * 1e7).rounded() / 1e6
            object["mscale"] = scale
            object["mscale_all_dim"] = scale
        }
        return object
    }

    /// Llama 3's scaling from the factors that the converter made of it; nil where there are none.
    ///
    /// A factor is 1 for wavelengths below 8192/4, the scaling's `factor` above 8192/1, and between them
    /// 1 / ((1 - s)/factor + s) with s = (8192/wavelength - 1)/3: one of them gives `factor`, all must agree with it.
    /// - Source: llama.cpp `conversion/llama.py`, `generate_extra_tensors`; it fixes the context at 8192.
    func frequencyScaling(width: Int) throws -> [String: Any]? {
        guard let tensor = file.tensors[Self.frequencyFactors] else { return nil }
        guard tensor.type == .f32, tensor.dimensions == [width / 2] else {
            throw TensorsError.wrongTensor(
                file: file.file.path, tensor: tensor.name, expected: "F32 [\(width / 2)]",
                found: "\(tensor.type.name) \(tensor.dimensions)")
        }
        var factors = [Float](repeating: 0, count: width / 2)
        tensor.type.dequantize(file.bytes(of: tensor).baseAddress!, count: factors.count, into: &factors)
        if factors.allSatisfy({ $0 == 1 }) { return nil }
        let base = try number("rope.freq_base", default: 10_000)
        let smooth = factors.indices.map { index in
            let wavelength = 2 * Double.pi * pow(base, Double(2 * index) / Double(width))
            return min(1, max(0, (8192 / wavelength - 1) / 3))
        }
        // The longest wavelength leans the least on s.
        let last = factors.count - 1
        let factor = (1 - smooth[last]) / (1 / Double(factors[last]) - smooth[last])
        let rounded = (factor * 1000).rounded() / 1000
        for (index, found) in factors.enumerated() {
            let expected = 1 / ((1 - smooth[index]) / rounded + smooth[index])
            guard abs(Double(found) - expected) <= 1e-3 * expected else {
                throw ModelsError.unsupported(
                    file: file.file.path, what: "tensor '\(tensor.name)', element \(index),", found: "\(found)",
                    supported: ["the factors of Llama 3's scaling, here \(expected)"])
            }
        }
        return [
            "rope_type": "llama3", "factor": rounded, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        ]
    }
}
