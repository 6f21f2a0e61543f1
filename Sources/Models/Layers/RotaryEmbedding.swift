import Foundation

/// Rotary position embedding: the angle of pair i at position p is p · frequencies[i].
///
/// Every step is done in 32 bits where transformers does it in 32 bits: at position 100,000 the last bit of a frequency
/// is a hundredth of a radian.
/// - Source: transformers `modeling_rope_utils.py`, types default, linear, llama3 and yarn.
public struct RotaryEmbedding: Sendable, Equatable {
    /// Inverse wavelengths, [width / 2].
    public let frequencies: [Float]
    /// Factor on cosines and sines.
    public let attentionFactor: Float

    /// - Parameter width: elements of a head that are turned.
    init(_ parameters: RotaryParameters, width: Int) throws {
        let wavelengths = Self.wavelengths(base: parameters.base, width: width)
        switch parameters.type {
        case "linear":
            let factor = Float(try parameters.factor())
            frequencies = wavelengths.map { 1 / $0 / factor }
            attentionFactor = 1
        case "llama3":
            frequencies = try Self.llama3(wavelengths, parameters)
            attentionFactor = 1
        case "yarn":
            frequencies = try Self.yarn(wavelengths, parameters)
            attentionFactor = Float(try parameters.yarnAttentionFactor())
        default:
            frequencies = wavelengths.map { 1 / $0 }
            attentionFactor = 1
        }
    }

    /// base^(2i / width) as 32-bit floats.
    private static func wavelengths(base: Double, width: Int) -> [Float] {
        (0..<(width / 2)).map { Float(pow(Double(Float(base)), Double(Float(2 * $0) / Float(width)))) }
    }

    /// Cosines and sines of `position`, [width / 2] each. The angle is a 32-bit product, as in transformers.
    package func fill(position: Int, cosines: UnsafeMutablePointer<Float>, sines: UnsafeMutablePointer<Float>) {
        for (index, frequency) in frequencies.enumerated() {
            let angle = Float(position) * frequency
            cosines[index] = cosf(angle) * attentionFactor
            sines[index] = sinf(angle) * attentionFactor
        }
    }
}

// MARK: Scaling

extension RotaryEmbedding {
    /// Long wavelengths are stretched by `factor`, short ones kept, those between interpolated.
    private static func llama3(_ wavelengths: [Float], _ parameters: RotaryParameters) throws -> [Float] {
        let object = parameters.object
        let factor = Float(try parameters.factor())
        let low = try object.double("low_freq_factor")
        let high = try object.double("high_freq_factor")
        guard high > low, low > 0 else { throw object.bad("high_freq_factor", "must be larger than low_freq_factor") }
        let original = try parameters.originalContextLimit()
        return wavelengths.map {
            let frequency = 1 / $0
            let wavelength = Float(2 * Double.pi) / frequency
            if wavelength < Float(original / high) { return frequency }
            if wavelength > Float(original / low) { return frequency / factor }
            let smooth = (Float(original) / wavelength - Float(low)) / Float(high - low)
            return (1 - smooth) * frequency / factor + smooth * frequency
        }
    }

    /// Pairs that turn more than `beta_fast` times in the original context keep their frequency, those that turn less
    /// than `beta_slow` times are stretched by `factor`, with a ramp between.
    private static func yarn(_ wavelengths: [Float], _ parameters: RotaryParameters) throws -> [Float] {
        let object = parameters.object
        let width = Double(2 * wavelengths.count)
        let factor = Float(try parameters.yarnFactor())
        let original = try parameters.originalContextLimit()
        func pair(turning key: String, default fallback: Double) throws -> Double {
            let given = try object.double(key, default: fallback)
            let turns = given == 0 ? fallback : given
            guard turns > 0 else { throw object.bad(key, "must be positive") }
            return width * log(original / (turns * 2 * .pi)) / (2 * log(parameters.base))
        }
        var first = try pair(turning: "beta_fast", default: 32)
        var last = try pair(turning: "beta_slow", default: 1)
        if parameters.truncate {
            first = first.rounded(.down)
            last = last.rounded(.up)
        }
        first = max(first, 0)
        last = min(last, width - 1)
        if first == last { last += 0.001 }
        return wavelengths.enumerated().map { index, wavelength in
            let kept = 1 - min(max((Float(index) - Float(first)) / Float(last - first), 0), 1)
            return 1 / (factor * wavelength) * (1 - kept) + 1 / wavelength * kept
        }
    }
}
