/// What a controller may know of a handoff.
public struct HandoffContext: Sendable {
    /// Tokens of the card.
    public var tokens: Int
    /// Attention that the sender's last rows give to each token; nil where nobody measured it.
    public var attention: [Double]?
    /// How much the receiver's predictions change when a token is coarse; nil where nobody measured it.
    public var sensitivity: [Double]?
    /// Handoffs that the tokens have before them, this one among them.
    public var remainingHops = 1
    /// Agents that each receiver hands the tokens on to.
    public var fanOut = 1
    /// For controllers that draw.
    public var seed: UInt64 = 0

    public init(tokens: Int) { self.tokens = tokens }
}

/// Decides how much an error in each token of a card, or of a cache's tile, matters. `PrecisionLadder` makes schemes of that for
/// cards, ``MixedScheme`` for caches, each for all controllers alike.
///
/// A new controller is one file that conforms to this and one line in ``PrecisionControllers``.
public protocol PrecisionController: Sendable {
    var name: String { get }
    /// One sentence for tables.
    var summary: String { get }
    /// Does the choice change from hop to hop?
    var looksAhead: Bool { get }
    var needs: HandoffMeasurement { get }

    /// Weights of the tokens, none negative; only their proportions count.
    /// - Precondition: `context` has what ``needs`` names.
    func weights(_ context: HandoffContext) -> [Double]
}

extension PrecisionController {
    public var looksAhead: Bool { false }
    public var needs: HandoffMeasurement { .nothing }
}

/// What must be measured before a controller can decide.
public enum HandoffMeasurement: Sendable { case nothing, attention, sensitivity }

/// Every controller there is. A new one adds one line here.
public enum PrecisionControllers {
    public static let all: [any PrecisionController] = [
        UniformController(), RandomController(), RecencyController(), SinkRecencyController(), SaliencyController(),
        TopologyController(), OracleController(),
    ]
}

/// Where a token stands among tokens of equal weight: multiples of the golden ratio's fraction fill a range evenly, however
/// many are taken.
public func evenPlace(of token: Int) -> UInt64 { UInt64(token) &* 0x9e37_79b9_7f4a_7c15 }
