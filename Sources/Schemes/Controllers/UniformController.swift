/// Every token matters as much as any other: one scheme, or two neighbouring ones where the budget lies between them.
public struct UniformController: PrecisionController {
    public let name = "uniform"
    public let summary = "all tokens alike"

    public init() {}

    public func weights(_ context: HandoffContext) -> [Double] { Array(repeating: 1, count: context.tokens) }
}
