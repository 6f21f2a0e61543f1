import Foundation
import Results

/// The rows of the results tables `kld` and `kld_tokens` of one model and scheme, over all texts.
struct DivergenceSeries {
    /// One window of one text.
    struct Window {
        var tokens: Int
        var kldSum: Double
        var baseLossSum: Double
        var lossSum: Double
        var agreements: Int
    }

    var model: String
    var scheme: String
    var baseScheme: String
    var compute: String
    var windowTokens: Int
    var strideTokens: Int
    var texts: Int
    var windows: [Window]
    /// KL divergence and change of probability of every token.
    var kld: [Double]
    var deltaP: [Double]
    var restoredTokens: Int
    /// nil where nothing was restored.
    var restoredDifference: Double?
    /// nil where nothing was given to another agent, or the run is older than that.
    var injectedDifference: Double?
    var resavedEqual: Bool

    var tokens: Int { windows.reduce(0) { $0 + $1.tokens } }

    /// True for the unquantized cache on the other compute path.
    var isNoiseFloor: Bool { scheme == baseScheme && compute != "reference" }

    /// A mean over tokens, and its interval by drawing whole windows.
    func mean(_ sum: (Window) -> Double) -> BootstrapEstimate? {
        ratio { drawn in drawn.reduce(0) { $0 + sum($1) } / Double(drawn.reduce(0) { $0 + $1.tokens }) }
    }

    /// Any statistic of windows drawn.
    func ratio(_ statistic: ([Window]) -> Double) -> BootstrapEstimate? {
        Statistics.bootstrap(groups: [windows.count], plan: .init()) { drawn in statistic(drawn[0].map { windows[$0] }) }
    }

    /// exp of the mean loss with this cache, and with the base's.
    var perplexity: Double { exp(windows.reduce(0) { $0 + $1.lossSum } / Double(tokens)) }
    var basePerplexity: Double { exp(windows.reduce(0) { $0 + $1.baseLossSum } / Double(tokens)) }

    /// All series in the order in which they first occur.
    static func all(_ table: ResultTable, tokens: ResultTable) throws -> [DivergenceSeries] {
        var series: [DivergenceSeries] = []
        let keys = try keys(of: table)
        let (text, base) = (try table.requiredStrings("text"), try table.requiredStrings("base_scheme"))
        let (window, stride) = (try table.requiredInts("window_tokens"), try table.requiredInts("stride_tokens"))
        let (scored, agreements) = (try table.requiredInts("tokens_scored"), try table.requiredInts("agreements"))
        let kld = try table.requiredDoubles("kld_sum")
        let (baseLoss, loss) = (try table.requiredDoubles("base_loss_sum"), try table.requiredDoubles("loss_sum"))
        let (restored, resaved) = (try table.requiredInts("restored_tokens"), try table.requiredInts("resaved_equal"))
        let difference = try table.requiredDoubles("restored_difference")
        let injected = table.doubles("injected_difference")
        let rows = Dictionary(grouping: keys.indices) { keys[$0] }
        let tokenKeys = try Self.keys(of: tokens)
        let tokenRows = Dictionary(grouping: tokenKeys.indices) { tokenKeys[$0] }
        let (tokenKLD, tokenDelta) = (try tokens.requiredDoubles("kld"), try tokens.requiredDoubles("delta_p"))
        for key in orderedSet(keys) {
            let own = rows[key]!, ownTokens = tokenRows[key] ?? []
            let done = own.filter { restored[$0] > 0 }
            let one = DivergenceSeries(
                model: key.model, scheme: key.scheme, baseScheme: base[own[0]], compute: key.compute,
                windowTokens: window[own[0]], strideTokens: stride[own[0]], texts: Set(own.map { text[$0] }).count,
                windows: own.map {
                    Window(
                        tokens: scored[$0], kldSum: kld[$0], baseLossSum: baseLoss[$0], lossSum: loss[$0],
                        agreements: agreements[$0])
                },
                kld: ownTokens.map { tokenKLD[$0] }, deltaP: ownTokens.map { tokenDelta[$0] },
                restoredTokens: done.reduce(0) { $0 + restored[$1] },
                restoredDifference: done.map { difference[$0] }.max(),
                injectedDifference: injected.flatMap { values in done.map { values[$0] }.max() },
                resavedEqual: done.allSatisfy { resaved[$0] == 1 })
            guard one.kld.count == one.tokens else {
                throw ReportsError.inconsistent(
                    table: "kld_tokens",
                    problem: "\(key.model), \(key.scheme): \(one.kld.count) tokens, and 'kld' says \(one.tokens)")
            }
            series.append(one)
        }
        return series
    }

    private struct Key: Hashable {
        var model: String
        var scheme: String
        var compute: String
    }

    private static func keys(of table: ResultTable) throws -> [Key] {
        let (model, scheme) = (try table.requiredStrings("model"), try table.requiredStrings("scheme"))
        return zip(zip(model, scheme), try table.requiredStrings("compute")).map {
            Key(model: $0.0, scheme: $0.1, compute: $1)
        }
    }
}
