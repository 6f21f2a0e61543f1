import Foundation
import Results

/// The rows of the results table `perplexity` of one model, text, protocol and scheme.
struct PerplexitySeries {
    /// One window.
    struct Window {
        var length: Int
        var tokens: Int
        var baseLossSum: Double
        var lossSum: Double
        var kldSum: Double
        /// NaN where the window's first position does not count.
        var firstKLD: Double
    }

    var model: String
    var text: String
    var protocolName: String
    var scheme: String
    var baseScheme: String
    var paperModel: String
    /// A shape with the same caches and vocabulary, or an empty text.
    var shape: String
    var weights: String
    /// 0: no layer has one.
    var slidingWindow: Int
    var documents: Int
    var startToken: String
    var strideTokens: Int
    var stepTokens: Int
    var windows: [Window]

    var tokens: Int { windows.reduce(0) { $0 + $1.tokens } }
    var longestWindow: Int { windows.map(\.length).max() ?? 0 }
    var basePerplexity: Double { exp(windows.reduce(0) { $0 + $1.baseLossSum } / Double(tokens)) }
    var perplexity: Double { exp(windows.reduce(0) { $0 + $1.lossSum } / Double(tokens)) }

    /// ln(perplexity ÷ the base's): the mean difference of the losses; drawn by whole windows. nil for a single window.
    var logRatio: BootstrapEstimate? { mean { $0.lossSum - $0.baseLossSum } }
    /// Mean KL divergence in nats.
    var divergence: BootstrapEstimate? { mean(\.kldSum) }

    /// Does a query read its own new row as the scheme stores it? The first position of a window sees nothing else.
    var readsOwnRow: Bool { windows.contains { $0.firstKLD > 0 } }

    private func mean(_ sum: (Window) -> Double) -> BootstrapEstimate? {
        Statistics.bootstrap(groups: [windows.count], plan: .init()) { drawn in
            let own = drawn[0].map { windows[$0] }
            return own.reduce(0) { $0 + sum($1) } / Double(own.reduce(0) { $0 + $1.tokens })
        }
    }

    /// All series in the order in which they first occur.
    static func all(_ table: ResultTable) throws -> [PerplexitySeries] {
        let names = [
            "model", "text", "protocol", "scheme", "base_scheme", "paper_model", "same_shape_as", "weights", "start_token",
        ]
        let texts = try names.map { try table.requiredStrings($0) }
        let counts = try ["sliding_window_tokens", "documents", "stride_tokens", "step_tokens", "window_tokens", "tokens_scored"]
            .map { try table.requiredInts($0) }
        let sums = try ["base_loss_sum", "loss_sum", "kld_sum", "first_kld"].map { try table.requiredDoubles($0) }
        let keys = (0..<table.rowCount).map { row in texts[..<4].map { $0[row] } }
        let rows = Dictionary(grouping: keys.indices) { keys[$0] }
        return orderedSet(keys).map { key in
            let own = rows[key]!, first = own[0]
            return PerplexitySeries(
                model: key[0], text: key[1], protocolName: key[2], scheme: key[3], baseScheme: texts[4][first],
                paperModel: texts[5][first], shape: texts[6][first], weights: texts[7][first],
                slidingWindow: counts[0][first], documents: counts[1][first], startToken: texts[8][first],
                strideTokens: counts[2][first], stepTokens: counts[3][first],
                windows: own.map { row in
                    Window(
                        length: counts[4][row], tokens: counts[5][row], baseLossSum: sums[0][row], lossSum: sums[1][row],
                        kldSum: sums[2][row], firstKLD: sums[3][row])
                })
        }
    }
}
