/// The attention that the sender's last rows give to a token.
/// - Source: the idea of Zhang et al., "H2O", arXiv 2306.14048, and of Li et al., "SnapKV", arXiv 2404.14469, which drop
///   tokens by it.
public struct SaliencyController: PrecisionController {
    public let name = "saliency"
    public let summary = "attention of the sender's last rows"
    public let needs = HandoffMeasurement.attention

    public init() {}

    public func weights(_ context: HandoffContext) -> [Double] { context.attention! }
}
