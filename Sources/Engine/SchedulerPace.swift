/// How long steps take, learnt from the steps themselves.
struct SchedulerPace {
    /// Seconds of a step with no prompt tokens, and of a prompt token beside one; moving averages.
    private(set) var decodeSeconds: Double?
    private(set) var promptTokenSeconds: Double?
    /// Steps since the last one with prompt tokens.
    private(set) var decodeSteps = Int.max

    mutating func record(seconds: Double, decodeRows: Int, promptRows: Int) {
        if promptRows == 0 {
            decodeSteps = decodeSteps == .max ? .max : decodeSteps + 1
            decodeSeconds = Self.average(decodeSeconds, seconds)
        } else {
            decodeSteps = 0
            let own = decodeRows > 0 ? seconds - (decodeSeconds ?? 0) : seconds
            promptTokenSeconds = Self.average(promptTokenSeconds, max(0, own) / Double(promptRows))
        }
    }

    /// Prompt tokens that the next step may have while `decodeRows` agents decode.
    func promptTokens(_ policy: SchedulerPolicy, decodeRows: Int) -> Int {
        guard decodeRows > 0 else { return policy.prefillTokens }
        guard decodeSteps >= policy.decodeStepsPerChunk else { return 0 }
        guard let bound = policy.maximumStepSeconds, let rate = promptTokenSeconds, rate > 0 else {
            return policy.maximumStepSeconds == nil ? policy.prefillTokens : 1
        }
        let room = max(0, bound - (decodeSeconds ?? 0))
        return max(1, Int(min(Double(policy.prefillTokens), room / rate)))
    }

    /// A quarter of the new value.
    private static func average(_ old: Double?, _ new: Double) -> Double { old.map { $0 + (new - $0) / 4 } ?? new }
}
