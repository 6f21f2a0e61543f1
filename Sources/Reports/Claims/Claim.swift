/// One claim of the papers, and what decides it. The ledger of all of them is `datasets/paper/claims.yaml`.
public struct Claim: Sendable, Equatable {
    public enum Decision: Sendable, Equatable {
        case rule(ClaimRule)
        /// No run of kvlab can decide it, and why.
        case notRunnable(reason: String)
        /// It could be measured, but this version has no experiment for it: what is missing.
        case awaits(experiment: String)
    }

    /// "P1-T3-llama-16k": unique in the ledger.
    public var id: String
    /// "P1" or "P2".
    public var paper: String
    /// "Table 3": where the paper has it.
    public var place: String
    /// The claim in one sentence.
    public var statement: String
    /// The number or the order as published, as text.
    public var published: String
    /// What is to be known of the claim, such as where the paper contradicts itself, with the arithmetic.
    public var remark: String?
    public var decision: Decision
}

/// What a run says of a claim.
public struct ClaimOutcome: Sendable, Equatable {
    /// One place where the rule was tried: a shape, a context, …
    public struct Case: Sendable, Equatable {
        /// "llama3.2-1b, 16K"
        public var label: String
        /// In the unit of the rule.
        public var estimate: Estimate
        public var holds: Bool
    }

    public var claim: Claim
    public var verdict: Verdict
    public var cases: [Case] = []
    /// Medians of the rule's `explain` columns where it does not hold; empty elsewhere.
    public var explanation = ""
}
