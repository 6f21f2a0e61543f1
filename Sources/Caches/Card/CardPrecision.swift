import Schemes

/// The scheme of every token of a card, as runs of tokens: a card of one precision has one run.
public struct CardPrecision: Sendable, Equatable {
    /// Neighbouring tokens of one scheme.
    public struct Run: Sendable, Equatable {
        public let tokens: Int
        /// Index in ``CardPrecision/schemes``.
        public let scheme: Int
    }

    public let schemes: [CacheScheme]
    public let runs: [Run]

    /// All of `count` tokens in one scheme.
    public init(uniform scheme: CacheScheme, count: Int) {
        schemes = [scheme]
        runs = [Run(tokens: count, scheme: 0)]
    }

    /// - Parameter tokens: the scheme of each token, as an index in `schemes`, of which none may be left over.
    public init(schemes: [CacheScheme], tokens: [Int]) {
        precondition(Set(tokens) == Set(schemes.indices), "every scheme has tokens, and every token a scheme")
        self.schemes = schemes
        var runs: [Run] = []
        for scheme in tokens {
            let length = runs.last?.scheme == scheme ? runs.removeLast().tokens : 0
            runs.append(Run(tokens: length + 1, scheme: scheme))
        }
        self.runs = runs
    }

    init(schemes: [CacheScheme], runs: [Run]) {
        self.schemes = schemes
        self.runs = runs
    }

    public var tokenCount: Int { runs.reduce(0) { $0 + $1.tokens } }

    /// The tokens of `scheme` that are not before `first`, in order.
    func ranges(scheme: Int, from first: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        for run in runs {
            let end = start + run.tokens
            if run.scheme == scheme, end > first { ranges.append(max(start, first)..<end) }
            start = end
        }
        return ranges
    }

    public static func == (a: CardPrecision, b: CardPrecision) -> Bool {
        a.schemes.map(\.description) == b.schemes.map(\.description) && a.runs == b.runs
    }
}
