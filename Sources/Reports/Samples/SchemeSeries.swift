import Foundation
import Results

/// Everything that a run says of one cache scheme on one model.
struct SchemeSeries {
    /// A window by its place in the order that all schemes share.
    struct Window {
        var draw: Int
        var tokens: Int
        var kldSum: Double
    }

    /// An answer by where it stands.
    struct Question: Hashable {
        var task: String
        var document: Int
        var answer: Int
    }

    var model: String
    var weights: String
    var scheme: String
    var activeScheme: String
    var baseScheme: String
    var tokens: Int
    var storedBytes: Int
    var elements: Int
    /// Bits of an element of an encoded row; nil in runs that do not say.
    var encodedBits: Double?
    var fileBytes: Int
    var relativeInterval: Double
    var secondsAllowed: Double
    var stoppedBy: String
    /// Empty where the scheme was measured.
    var problem: String
    /// nil where there is a problem.
    var divergence: DivergenceSeries?
    var windows: [Window] = []
    var answers: [Question: Bool] = [:]
    var tasks: [String] = []
    var encodeRates: [Double] = []
    var decodeRates: [Double] = []
    var tokenRates: [Double] = []
    var depth: Int?

    var isBase: Bool { scheme == baseScheme }
    /// Bits that an element of keys and values takes in memory, rows that wait in 16-bit floats among them; nil where nothing was stored.
    var bits: Double? { elements > 0 ? Double(storedBytes) * 8 / Double(elements) : nil }
    /// Standard error of the mean divergence, by drawing whole windows.
    var mean: BootstrapEstimate? { divergence?.mean(\.kldSum) }

    /// All series in the order in which they first occur.
    static func all(_ results: ResultsFile) throws -> [SchemeSeries] {
        guard let table = results.table("schemes") else { return [] }
        let divergences = try divergences(results)
        let windows = try windows(results), answers = try answers(results), speed = try speed(results)
        let (model, scheme) = (try table.requiredStrings("model"), try table.requiredStrings("scheme"))
        let (weights, base) = (try table.requiredStrings("weights"), try table.requiredStrings("base_scheme"))
        let (active, problem) = (try table.requiredStrings("active_scheme"), try table.requiredStrings("problem"))
        let (tokens, bytes) = (try table.requiredInts("tokens"), try table.requiredInts("stored_bytes"))
        let (elements, file) = (try table.requiredInts("elements"), try table.requiredInts("file_bytes"))
        let encoded = table.doubles("encoded_bits")
        let stopped = try table.requiredStrings("stopped_by")
        let interval = try table.requiredDoubles("relative_interval")
        let allowed = try table.requiredDoubles("seconds_allowed")
        return model.indices.map { row in
            let key = Key(model: model[row], scheme: scheme[row])
            var series = SchemeSeries(
                model: key.model, weights: weights[row], scheme: key.scheme, activeScheme: active[row],
                baseScheme: base[row], tokens: tokens[row], storedBytes: bytes[row], elements: elements[row],
                encodedBits: encoded?[row], fileBytes: file[row], relativeInterval: interval[row], secondsAllowed: allowed[row],
                stoppedBy: stopped[row], problem: problem[row], divergence: divergences[key])
            series.windows = windows[key] ?? []
            series.answers = Dictionary(answers[key] ?? [], uniquingKeysWith: { $1 })
            series.tasks = orderedSet((answers[key] ?? []).map(\.0.task))
            for sample in speed[key] ?? [] {
                series.encodeRates.append(sample.encode)
                series.decodeRates.append(sample.decode)
                series.tokenRates.append(sample.tokens)
                series.depth = sample.depth
            }
            return series
        }
    }

    private struct Key: Hashable {
        var model: String
        var scheme: String
    }

    private static func keys(_ table: ResultTable) throws -> [Key] {
        zip(try table.requiredStrings("model"), try table.requiredStrings("scheme")).map { Key(model: $0, scheme: $1) }
    }

    private static func divergences(_ results: ResultsFile) throws -> [Key: DivergenceSeries] {
        guard let windows = results.table("schemes_windows"), let tokens = results.table("schemes_tokens") else { return [:] }
        let all = try DivergenceSeries.all(windows, tokens: tokens)
        return Dictionary(all.map { (Key(model: $0.model, scheme: $0.scheme), $0) }, uniquingKeysWith: { $1 })
    }

    private static func windows(_ results: ResultsFile) throws -> [Key: [Window]] {
        guard let table = results.table("schemes_windows") else { return [:] }
        let (draw, tokens) = (try table.requiredInts("draw"), try table.requiredInts("tokens_scored"))
        let kld = try table.requiredDoubles("kld_sum")
        return Dictionary(
            grouping: try keys(table).enumerated(), by: \.element
        ).mapValues { rows in rows.map { Window(draw: draw[$0.offset], tokens: tokens[$0.offset], kldSum: kld[$0.offset]) } }
    }

    private static func answers(_ results: ResultsFile) throws -> [Key: [(Question, Bool)]] {
        guard let table = results.table("schemes_answers") else { return [:] }
        let (task, right) = (try table.requiredStrings("task"), try table.requiredInts("right"))
        let (document, answer) = (try table.requiredInts("document"), try table.requiredInts("answer"))
        return Dictionary(grouping: try keys(table).enumerated(), by: \.element).mapValues { rows in
            rows.map { row in
                (
                    Question(task: task[row.offset], document: document[row.offset], answer: answer[row.offset]),
                    right[row.offset] == 1
                )
            }
        }
    }

    private static func speed(
        _ results: ResultsFile
    ) throws -> [Key: [(encode: Double, decode: Double, tokens: Double, depth: Int)]] {
        guard let table = results.table("schemes_speed") else { return [:] }
        let encode = try table.requiredDoubles("encode_elements_per_second")
        let decode = try table.requiredDoubles("decode_elements_per_second")
        let (tokens, depth) = (try table.requiredDoubles("tokens_per_second"), try table.requiredInts("depth"))
        return Dictionary(grouping: try keys(table).enumerated(), by: \.element).mapValues { rows in
            rows.map { (encode[$0.offset], decode[$0.offset], tokens[$0.offset], depth[$0.offset]) }
        }
    }
}
