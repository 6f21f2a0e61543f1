/// How much the predictions that will be asked for change when a token alone is coarse: it knows the future, and is there to
/// say what a controller could reach.
public struct OracleController: PrecisionController {
    public let name = "oracle"
    public let summary = "what each token's coarseness does to the answers themselves"
    public let needs = HandoffMeasurement.sensitivity

    public init() {}

    public func weights(_ context: HandoffContext) -> [Double] { context.sensitivity! }
}
