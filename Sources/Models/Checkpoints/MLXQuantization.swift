import Foundation

/// What `quantization` in the `config.json` of an MLX checkpoint says: bits of all quantized modules, and of those that
/// it names.
///
/// - Source: mlx-lm `utils.py`, `load_model` and `quantize_model`.
struct MLXQuantization {
    let bits: Int
    /// Bits by module, "model.layers.0.mlp.down_proj".
    let overrides: [String: Int]

    static let supportedBits = [4, 8]

    /// nil where the configuration has no `quantization`.
    /// - Throws: ``ModelsError/unsupported(file:what:found:supported:)`` for bits other than 4 and 8, groups other than
    ///   64, modes other than affine, and for checkpoints quantized by other tools.
    init?(_ configuration: ConfigurationFile) throws {
        guard let settings = try configuration.object("quantization") else {
            if let other = try configuration.object("quantization_config") {
                throw ModelsError.unsupported(
                    file: configuration.path, what: "quantization_config.quant_method",
                    found: try other.string("quant_method", default: "unknown"), supported: ["none"])
            }
            return nil
        }
        bits = try Self.bits(settings, default: nil)
        var overrides: [String: Int] = [:]
        for key in settings.keys where !["bits", "group_size", "mode"].contains(key) {
            // False, or true, says whether a module is quantized at all; its tensors say so too.
            if (try? settings.bool(key, default: false)) != nil { continue }
            guard let module = try settings.object(key) else { continue }
            overrides[key] = try Self.bits(module, default: bits)
        }
        self.overrides = overrides
    }

    /// Bits of a module.
    func bits(of module: String) -> Int { overrides[module] ?? bits }

    private static func bits(_ settings: ConfigurationFile, default fallback: Int?) throws -> Int {
        let group = try settings.int("group_size", default: Linear.groupSize)
        guard group == Linear.groupSize else { throw settings.unsupported("group_size", group, [Linear.groupSize]) }
        _ = try settings.require("mode", oneOf: ["affine"], default: "affine")
        let bits = try settings.int("bits", default: fallback)
        guard supportedBits.contains(bits) else { throw settings.unsupported("bits", bits, supportedBits) }
        return bits
    }
}
