import Foundation

/// A stand-in for the controller of arXiv 2605.03884, which is not published in enough detail to copy.
///
/// Saliency says what the sender looks at now. The more agents a token still goes to, the less it says of what they will ask,
/// so the weights are attention^γ with γ = 1/√(remaining hops × fan-out): on the last hop to one agent this is
/// ``SaliencyController``, far from the end of a wide tree nearly ``UniformController``.
public struct TopologyController: PrecisionController {
    public let name = "topology"
    public let summary = "attention, flattened by the agents still to come; ours, a stand-in for the paper's"
    public let looksAhead = true
    public let needs = HandoffMeasurement.attention

    public init() {}

    public func weights(_ context: HandoffContext) -> [Double] {
        let exponent = 1 / Double(max(1, context.remainingHops * context.fanOut)).squareRoot()
        return context.attention!.map { pow($0, exponent) }
    }
}
