import Foundation

/// Rotary position embedding: the angle of pair i at position p is p · frequencies[i].
///
/// - Source: transformers `modeling_rope_utils.py` (types default, linear, llama3).
public struct RotaryEmbedding: Sendable, Equatable {
    /// Inverse wavelengths, [width / 2].
    public let frequencies: [Float]
    /// Factor on cosines and sines.
    public let attentionFactor: Float

    /// Scaling types that are supported.
    static let supported = ["default", "linear", "llama3"]

    /// Reads `rope_theta` and `rope_scaling` (transformers 4) or `rope_parameters` (transformers 5).
    /// - Parameter parameters: the object that holds `rope_theta` in the newer form, if there is one.
    init(_ file: ConfigurationFile, width: Int, defaultBase: Double) throws {
        let parameters = try file.object("rope_parameters")
        let base = try (parameters ?? file).double("rope_theta", default: defaultBase)
        try self.init(scaling: try parameters ?? file.object("rope_scaling"), base: base, width: width)
    }

    init(scaling: ConfigurationFile?, base: Double, width: Int) throws {
        var frequencies = (0..<(width / 2)).map { Float(1 / pow(base, Double(2 * $0) / Double(width))) }
        if let scaling {
            let key = scaling.has("rope_type") ? "rope_type" : "type"
            switch try scaling.require(key, oneOf: Self.supported, default: "default") {
            case "linear":
                let factor = Float(try scaling.double("factor"))
                frequencies = frequencies.map { $0 / factor }
            case "llama3":
                frequencies = try Self.llama3(frequencies, scaling)
            default: break
            }
        }
        self.frequencies = frequencies
        attentionFactor = 1
    }

    /// Long wavelengths are stretched by `factor`, short ones kept, those between interpolated.
    private static func llama3(_ frequencies: [Float], _ scaling: ConfigurationFile) throws -> [Float] {
        let factor = try scaling.double("factor")
        let low = try scaling.double("low_freq_factor")
        let high = try scaling.double("high_freq_factor")
        let original = Double(try scaling.int("original_max_position_embeddings"))
        guard high > low else { throw scaling.bad("high_freq_factor", "must be larger than low_freq_factor") }
        return frequencies.map { frequency in
            let wavelength = 2 * Double.pi / Double(frequency)
            if wavelength < original / high { return frequency }
            if wavelength > original / low { return frequency / Float(factor) }
            let smooth = (original / wavelength - low) / (high - low)
            return Float((1 - smooth) * Double(frequency) / factor + smooth * Double(frequency))
        }
    }

    /// Cosines and sines of `position`, [width / 2] each. The angle is a 32-bit product, as in transformers.
    func fill(position: Int, cosines: UnsafeMutablePointer<Float>, sines: UnsafeMutablePointer<Float>) {
        for (index, frequency) in frequencies.enumerated() {
            let angle = Float(position) * frequency
            cosines[index] = cosf(angle) * attentionFactor
            sines[index] = sinf(angle) * attentionFactor
        }
    }
}
