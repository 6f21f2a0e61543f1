import Results

/// Two cache schemes, on the windows that both were measured on.
struct SchemePair {
    /// The one with the smaller mean divergence on these windows.
    let better: SchemeSeries
    let worse: SchemeSeries
    /// KL divergence of the worse less that of the better, in nats per token, by drawing whole windows.
    let difference: BootstrapEstimate
    /// Sign-flip test over the windows.
    let p: Double

    /// Schemes whose stored bits are this near to each other are compared.
    static let nearBits = 0.5

    /// Every pair of schemes of one model within ``nearBits``, the base left out: which pairs these are is decided by bytes
    /// alone. The two of a pair share at least two windows.
    static func all(_ series: [SchemeSeries]) -> [SchemePair] {
        let measured = series.filter { !$0.isBase && $0.bits != nil && !$0.windows.isEmpty }
        return measured.indices.flatMap { first in
            measured[(first + 1)...].filter { abs($0.bits! - measured[first].bits!) <= nearBits }.compactMap {
                SchemePair(measured[first], $0)
            }
        }
    }

    /// nil where they share fewer than two windows.
    init?(_ a: SchemeSeries, _ b: SchemeSeries) {
        let other = Dictionary(b.windows.map { ($0.draw, $0) }, uniquingKeysWith: { $1 })
        let shared = a.windows.compactMap { window in other[window.draw].map { (window, $0) } }
        let differences = shared.map { $0.1.kldSum - $0.0.kldSum }
        let sign = differences.reduce(0, +) < 0 ? -1.0 : 1.0
        let estimate = Statistics.bootstrap(groups: [shared.count], plan: .init()) { drawn in
            let sum = drawn[0].reduce(0) { $0 + sign * differences[$1] }
            return sum / Double(drawn[0].reduce(0) { $0 + shared[$1].0.tokens })
        }
        guard let estimate else { return nil }
        (better, worse) = sign > 0 ? (a, b) : (b, a)
        difference = estimate
        p = Statistics.signFlip(differences)
    }
}
