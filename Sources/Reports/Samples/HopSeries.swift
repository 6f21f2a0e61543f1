import Results

/// The rows of the results table `hops` of one model, task, controller, budget and number of handoffs.
struct HopSeries {
    struct Question: Hashable {
        var document: Int
        var answer: Int
    }

    /// The answers of one document.
    struct Document {
        var kldSum = 0.0
        var tokens = 0
        var agreements = 0
    }

    /// What two series must share to be compared: a model, a task and how far contexts are moved.
    struct Setting: Hashable {
        var model: String
        var task: String
        var moves: Int
        var keys: String
    }

    /// The controller's name of a context that was not handed on.
    static let none = "none"
    static let uniform = "uniform"
    /// The controller that stands in for the paper's.
    static let adaptive = "topology"

    var setting: Setting
    var controller: String
    /// Bits per element that a card may take; 0: no card.
    var budgetBits: Double
    var hops: Int
    var contextTokens: Double
    var storedBits: Double
    var cardBytes: Double
    var isRight: [Question: Bool]
    var documents: [Document]

    /// The share of right answers, with Wilson's interval.
    var right: Estimate {
        let count = isRight.values.count { $0 }
        let interval = Statistics.wilsonInterval(successes: count, of: isRight.count)!
        return Estimate(
            value: Double(count) / Double(isRight.count), low: interval.lower, high: interval.upper,
            sampleCount: isRight.count, coverage: interval.coverage)
    }

    /// Were tokens of answers given and predicted? Generated answers are right or wrong, and no more.
    var isScored: Bool { documents.contains { $0.tokens > 0 } }

    /// In nats per token; not a number where answers were generated.
    var meanDivergence: Double { Self.mean(documents) }

    /// ``meanDivergence`` with an interval by drawing whole documents; nil for fewer than two, and where answers were generated.
    var divergence: BootstrapEstimate? {
        guard isScored else { return nil }
        return Statistics.bootstrap(groups: [documents.count], plan: .init(resamples: 1000)) { drawn in
            Self.mean(drawn[0].map { documents[$0] })
        }
    }

    /// ``divergence`` in a table.
    var divergenceCell: ReportTable.Cell {
        .drawn(divergence, else: isScored ? "an interval needs two documents" : "generated answers are not compared token by token")
    }

    private static func mean(_ documents: [Document]) -> Double {
        documents.reduce(0) { $0 + $1.kldSum } / Double(documents.reduce(0) { $0 + $1.tokens })
    }

    /// McNemar's p of this and another series; nil where they did not answer the same questions.
    func pValue(against other: HopSeries) -> Double? {
        guard isRight.keys == other.isRight.keys else { return nil }
        return Statistics.mcNemar(
            onlyFirst: isRight.count { $0.value && !other.isRight[$0.key]! },
            onlySecond: isRight.count { !$0.value && other.isRight[$0.key]! })
    }

    /// All series in the order in which they first occur.
    static func all(_ table: ResultTable) throws -> [HopSeries] {
        let texts = try ["model", "task", "keys", "controller"].map { try table.requiredStrings($0) }
        let names = [
            "moves", "document", "answer", "hops", "handed_tokens", "right", "tokens_scored", "agreements", "card_bytes",
        ]
        let ints = Dictionary(uniqueKeysWithValues: try names.map { ($0, try table.requiredInts($0)) })
        let (budgets, stored) = (try table.requiredDoubles("budget_bits"), try table.requiredDoubles("stored_bits"))
        let kld = try table.requiredDoubles("kld_sum")
        struct Key: Hashable {
            var setting: Setting
            var controller: String
            var budget: Double
            var hops: Int
        }
        let keys = (0..<table.rowCount).map { row in
            Key(
                setting: Setting(model: texts[0][row], task: texts[1][row], moves: ints["moves"]![row], keys: texts[2][row]),
                controller: texts[3][row], budget: budgets[row], hops: ints["hops"]![row])
        }
        let rows = Dictionary(grouping: keys.indices) { keys[$0] }
        return orderedSet(keys).map { key in
            let own = rows[key]!
            var isRight: [Question: Bool] = [:]
            var documents: [Int: Document] = [:]
            for row in own {
                let document = ints["document"]![row]
                isRight[Question(document: document, answer: ints["answer"]![row])] = ints["right"]![row] == 1
                documents[document, default: Document()].kldSum += kld[row]
                documents[document]!.tokens += ints["tokens_scored"]![row]
                documents[document]!.agreements += ints["agreements"]![row]
            }
            return HopSeries(
                setting: key.setting, controller: key.controller, budgetBits: key.budget, hops: key.hops,
                contextTokens: Statistics.mean(own.map { Double(ints["handed_tokens"]![$0]) }),
                storedBits: Statistics.mean(own.map { stored[$0] }),
                cardBytes: Statistics.mean(own.map { Double(ints["card_bytes"]![$0]) }), isRight: isRight,
                documents: documents.sorted { $0.key < $1.key }.map(\.value))
        }
    }
}

extension [HopSeries] {
    func first(_ controller: String, _ budget: Double, hops: Int) -> HopSeries? {
        first { $0.controller == controller && $0.budgetBits == budget && $0.hops == hops }
    }

    /// The budgets at which controllers are compared: those at which there is more than the uniform one.
    var budgets: [Double] {
        orderedSet(filter { $0.controller != HopSeries.none && $0.controller != HopSeries.uniform }.map(\.budgetBits)).sorted()
    }

    /// The context that was not handed on.
    var unhanded: HopSeries? { first { $0.hops == 0 } }

    /// Uniform cards of the most bits, which say what handing on costs by itself.
    var finest: [HopSeries] {
        let most = map(\.budgetBits).max() ?? 0
        return budgets.contains(most) ? [] : filter { $0.budgetBits == most }
    }

    /// The part of captions that says what was done.
    var story: String {
        let (setting, context) = (self[0].setting, Statistics.mean(map(\.contextTokens)))
        let place =
            setting.moves == 0 ? "at the same positions" : "at a position drawn from 0 to \(setting.moves), its keys \(setting.keys)"
        let answers =
            contains(where: \.isScored)
            ? """
            An answer is right when each of its tokens is the most \
            likely one given the right tokens before it, reference arithmetic. Answers: Wilson, 95 %; answers of one document \
            share its cards and are counted as if they did not. KLD in nats from the cache that was not handed on, at the \
            answers' tokens; brackets: 95 % by drawing whole documents.
            """
            : """
            It answers greedily by itself, reference arithmetic; right is the published number after '####'. Answers: Wilson, 95 %.
            """
        return """
            The first agent reads a context of \(NumberText.short(context)) tokens with an FP16 cache; each handoff makes a card of \
            it, which the next agent takes \(place); the last one is asked. \(answers) Bits: stored bits per element of keys and \
            values, scales included; the file of a card of several schemes also has a longer header.
            """
    }

    /// A note where the model cannot do the task anyway.
    var weakNote: [String] {
        guard let unhanded, unhanded.right.value < 0.5 else { return [] }
        return ["Less than half is right without any handoff: what handoffs do to these answers says little."]
    }
}
