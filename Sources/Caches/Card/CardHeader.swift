import Foundation
import Schemes
import Tensors

/// All that a card says besides its rows.
///
/// Metadata: `format`, `card_version`, `sender`, `hops`, `model`, `weights`, `tokenizer`, `rope`, `spec` (JSON of the
/// layers), `mla_form`, `window_policy`, `keys`, `scheme.0`, `scheme.1`, …, `seal`, `signer` where it is signed, and
/// `text_sha256` where known. Tensors, in this order:
/// - `tokens` I32 [tokens];
/// - `positions` I32 [tokens]: where each token stood in the sender's context, ascending;
/// - `precision` I32 [runs, 2]: tokens, and the number of their scheme;
/// - `digests` U8 [planes, 4 or 32]: the CRC-32C of each plane, or its SHA-256 where the seal is not a checksum;
/// - the planes, `layers.LAYER.keys.SCHEME.PLANE` and `….values.…` U8 [heads, tokens of the scheme, bytes per token]; layers
///   with a window hold the last tokens only, as many as the window;
/// - `seal` U8: over every byte before the planes.
public struct CardHeader: Sendable {
    public static let format = "kvlab-card"
    static let version = "1"

    /// Whose context it is.
    public let sender: String
    /// Handoffs that any of its tokens went through before this one.
    public let hops: Int
    public let identity: CacheIdentity
    public let spec: ModelCacheSpec
    public let windowPolicy: WindowPolicy
    public let keys: CardKeys
    public let precision: CardPrecision
    public let tokens: [Int32]
    public let positions: [Int32]
    /// SHA-256 of the text that the tokens came from, where the sender says so.
    public let textHash: String?
    public let seal: CardSeal
    /// The public key of who signed it.
    public let signer: String?

    public var tokenCount: Int { tokens.count }

    /// Tokens at the end of the card that a layer holds: all, or as many as its window.
    func heldTokens(_ layer: LayerLayout) -> Int { min(tokenCount, layer.keptWindow ?? tokenCount) }

    /// How the rows of each scheme lie.
    /// - Throws: ``CachesError/rowsWait(scheme:)``, or a `SchemeError` when rows do not fit a scheme.
    func layouts() throws -> [CacheLayout] {
        try precision.schemes.map { scheme in
            let layout = try CacheLayout(spec: spec, scheme: scheme, windowPolicy: windowPolicy)
            try layout.requireNoResidual()
            return layout
        }
    }

    func metadata() throws -> [String: String] {
        var metadata = [
            "format": Self.format, "card_version": Self.version, "sender": sender, "hops": "\(hops)",
            "model": identity.model, "weights": identity.weights, "tokenizer": identity.tokenizer, "rope": identity.rope,
            "spec": try spec.json(), "mla_form": spec.mlaForm.rawValue, "window_policy": windowPolicy.rawValue,
            "keys": keys.rawValue, "seal": seal.rawValue,
        ]
        for (index, scheme) in precision.schemes.enumerated() { metadata["scheme.\(index)"] = scheme.description }
        metadata["signer"] = signer
        metadata["text_sha256"] = textHash
        return metadata
    }
}

extension CardHeader {
    /// Reads what stands before the planes.
    /// - Throws: ``CachesError/notACard(file:problem:)``, ``CachesError/damaged(file:what:)`` or
    ///   ``CachesError/mismatch(file:what:expected:found:)`` for another version.
    init(_ header: SafetensorsHeader, bytes: UnsafeRawBufferPointer, file: String) throws {
        let metadata = header.metadata
        func damaged(_ what: String) -> CachesError { .damaged(file: file, what: what) }
        func text(_ key: String) throws -> String {
            guard let value = metadata[key] else { throw damaged("its header has no '\(key)'") }
            return value
        }
        guard metadata["format"] == Self.format else {
            throw CachesError.notACard(
                file: file, problem: "its format is '\(metadata["format"] ?? "not given")' and not '\(Self.format)'")
        }
        guard try text("card_version") == Self.version else {
            throw CachesError.mismatch(
                file: file, what: "card version", expected: Self.version, found: try text("card_version"))
        }
        func numbers(_ name: String, columns: Int? = nil) throws -> [Int32] {
            guard let entry = header.entries[name], entry.dtype == .i32, entry.shape.count == (columns == nil ? 1 : 2),
                columns == nil || entry.shape[1] == columns
            else { throw damaged("it has no tensor '\(name)' of I32") }
            return stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: 4).map {
                Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Int32.self))
            }
        }
        sender = try text("sender")
        identity = CacheIdentity(
            model: try text("model"), weights: try text("weights"), tokenizer: try text("tokenizer"), rope: try text("rope"))
        guard let hops = Int(try text("hops")), (0...1_000_000).contains(hops) else { throw damaged("'hops' is no number") }
        self.hops = hops
        guard let spec = ModelCacheSpec(json: try text("spec")), spec.mlaForm.rawValue == (try text("mla_form")),
            let policy = WindowPolicy(rawValue: try text("window_policy"))
        else { throw damaged("its header does not say what its layers are") }
        self.spec = spec
        windowPolicy = policy
        guard let keys = CardKeys(rawValue: try text("keys")), let seal = CardSeal(rawValue: try text("seal")) else {
            throw damaged("its header does not say how its keys are turned, or how it is closed")
        }
        self.keys = keys
        self.seal = seal
        signer = metadata["signer"]
        textHash = metadata["text_sha256"]
        tokens = try numbers("tokens")
        positions = try numbers("positions")
        guard !tokens.isEmpty, positions.count == tokens.count, tokens.allSatisfy({ $0 >= 0 }), positions[0] >= 0,
            zip(positions, positions.dropFirst()).allSatisfy({ $0 < $1 })
        else { throw damaged("its tokens and positions do not go together") }
        precision = try Self.precision(
            metadata, numbers("precision", columns: 2).map { Int($0) }, tokenCount: tokens.count, damaged: damaged)
    }

    private static func precision(
        _ metadata: [String: String], _ numbers: [Int], tokenCount: Int, damaged: (String) -> CachesError
    ) throws -> CardPrecision {
        var schemes: [CacheScheme] = []
        while let text = metadata["scheme.\(schemes.count)"] { schemes.append(try CacheScheme(expression: text)) }
        let runs = stride(from: 0, to: numbers.count, by: 2).map {
            CardPrecision.Run(tokens: numbers[$0], scheme: numbers[$0 + 1])
        }
        guard !schemes.isEmpty, metadata.keys.filter({ $0.hasPrefix("scheme.") }).count == schemes.count,
            runs.allSatisfy({ (1...tokenCount).contains($0.tokens) }), Set(runs.map(\.scheme)) == Set(schemes.indices),
            runs.reduce(0, { $0 + $1.tokens }) == tokenCount
        else { throw damaged("its schemes are not those of its tokens") }
        return CardPrecision(schemes: schemes, runs: runs)
    }
}
