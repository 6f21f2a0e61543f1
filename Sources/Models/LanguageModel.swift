import Caches
import Schemes

/// A model that runs steps over one or more sequences.
///
/// A model knows caches only through ``AgentCache``: it stores the new rows and reads all rows back, those of the
/// step's own tokens too, so that everything attends to what is really stored.
public protocol LanguageModel: AnyObject {
    /// The shape's or checkpoint's name.
    var name: String { get }
    /// What the weights are, for records.
    var weightsLabel: String { get }
    /// SHA-256 over configuration and weights: what a cache file must match.
    var fingerprint: String { get }
    /// SHA-256 over the frequencies and factors of the rotary positions.
    var rotaryFingerprint: String { get }
    /// How keys are turned.
    var keyRotations: KeyRotations { get }
    var vocabularySize: Int { get }
    /// The longest context in tokens.
    var contextLimit: Int { get }
    var cacheSpec: ModelCacheSpec { get }
    /// Where what was calibrated for it lies; nil for weights that are no checkpoint's.
    var calibration: CalibrationSource? { get set }
    /// Bytes of the weights in memory.
    var weightBytes: Int { get }
    /// Bytes of scratch memory, all of it taken when the model is made.
    var workspaceBytes: Int { get }
    /// New tokens of all sequences together that one step takes at most.
    var maximumStepTokens: Int { get }
    /// Sequences that one step takes at most.
    var maximumStepSequences: Int { get }

    /// Runs the new tokens of every sequence, stores their keys and values, and commits them.
    /// - Returns: the logits asked for, [rows, vocabularySize], sequence after sequence; valid until the next step.
    /// - Throws: ``ModelsError/tokenOutOfRange(token:position:vocabulary:)``,
    ///   ``ModelsError/contextTooLong(tokens:limit:model:)``, ``ModelsError/emptyPrompt``,
    ///   ``ModelsError/notFinite(part:position:agent:model:)``, or
    ///   ``CachesError/budgetExceeded(needed:used:budget:)``; no cache has new tokens then.
    func forward(_ sequences: [SequenceStep]) throws -> Logits
}

/// A prompt may be cut at multiples of this many positions without a change of a bit in what it gives, if no part has
/// a single token: one query takes the path of decoding.
public let promptCutTokens = 128

/// The new tokens of one sequence.
public struct SequenceStep {
    public let cache: AgentCache
    public let tokens: ArraySlice<Int32>
    public let wanted: WantedLogits
    /// Where the attention that the rows give is added up; nil where nobody asks.
    public let mass: AttentionMass?

    public init(cache: AgentCache, tokens: ArraySlice<Int32>, wanted: WantedLogits, mass: AttentionMass? = nil) {
        self.cache = cache
        self.tokens = tokens
        self.wanted = wanted
        self.mass = mass
    }
}

/// Which rows of logits a step computes. Rows nobody wants are not carried past the last layer's keys and values.
public enum WantedLogits: Sendable {
    case none, last, all

    func count(of tokens: Int) -> Int {
        switch self {
        case .none: 0
        case .last: 1
        case .all: tokens
        }
    }
}

/// Rows of logits in the model's own memory.
public struct Logits {
    /// [rows, vocabularySize]
    public let values: UnsafeMutablePointer<Float>
    public let rows: Int
    public let vocabularySize: Int

    /// One row.
    public func row(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<rows).contains(index))
        return UnsafeMutableBufferPointer(start: values + index * vocabularySize, count: vocabularySize)
    }
}
