import Results

/// How often exact answers are right with each cache scheme, and whether a scheme's answers differ from the first's.
struct TableTasks: TableDefinition {
    let id = "tasks"
    let title = "Quality. Exact answers with quantized caches"
    let needs = ["tasks"]

    private struct Place: Hashable {
        var model: String
        var task: String
        var scheme: String
    }

    private struct Question: Hashable {
        var document: Int
        var answer: Int
    }

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let table = input.results.table("tasks")!
        let (models, tasks) = (try table.requiredStrings("model"), try table.requiredStrings("task"))
        let schemes = try table.requiredStrings("scheme")
        let (documents, answers) = (try table.requiredInts("document"), try table.requiredInts("answer"))
        let right = try table.requiredInts("right")
        let places = models.indices.map { Place(model: models[$0], task: tasks[$0], scheme: schemes[$0]) }
        var outcomes: [Place: [Question: Bool]] = [:]
        for (index, place) in places.enumerated() {
            outcomes[place, default: [:]][Question(document: documents[index], answer: answers[index])] = right[index] == 1
        }
        let order = orderedSet(places)
        return orderedSet(models).map { model in
            let own = order.filter { $0.model == model }
            let p = pValues(own, outcomes)
            return ReportTable(
                id: "\(id)-\(model)", title: "\(title): \(model)",
                caption: """
                    An answer is right when each of its tokens is the most likely one given the right tokens before it\
                    \(own.contains { $0.task == "gsm8k" } ? Self.gsm8k : ""); reference arithmetic; \
                    every position reads what the cache stores. Brackets: Wilson, 95 %. p: exact McNemar test of the same \
                    answers against \(own[0].scheme), Holm's correction over \(p.count) comparisons. \(input.provenance())
                    """,
                columns: Self.columns, rows: own.map { row($0, outcomes[$0]!, first: $0.scheme == own[0].scheme, p[$0]) })
        }
    }

    private static let gsm8k =
        ", of gsm8k when the number after '####' that the model came to by itself, greedily, is the published one"

    private static let columns: [ReportTable.Column] = [
        .init("Task", key: "task", .text),
        .init("Cache", key: "scheme", .text),
        .init("Documents", key: "documents", .count),
        .init("Answers", key: "answers", .count),
        .init("Right", key: "right", .share, hasInterval: true),
        .init("p, Holm", key: "p_holm", .plain),
    ]

    /// Of each scheme but the first of its task, corrected over all of the model's.
    private func pValues(_ own: [Place], _ outcomes: [Place: [Question: Bool]]) -> [Place: Double] {
        var compared: [(place: Place, p: Double)] = []
        for place in own where place.scheme != own[0].scheme {
            let base = Place(model: place.model, task: place.task, scheme: own[0].scheme)
            guard let first = outcomes[base], let second = outcomes[place], first.keys == second.keys else { continue }
            let onlyFirst = first.count { $0.value && second[$0.key] == false }
            let onlySecond = first.count { !$0.value && second[$0.key] == true }
            compared.append((place, Statistics.mcNemar(onlyFirst: onlyFirst, onlySecond: onlySecond)))
        }
        return Dictionary(
            zip(compared.map(\.place), Statistics.holm(compared.map(\.p))), uniquingKeysWith: { first, _ in first })
    }

    private func row(
        _ place: Place, _ outcomes: [Question: Bool], first: Bool, _ p: Double?
    ) -> [ReportTable.Cell] {
        let right = outcomes.values.count { $0 }
        let interval = Statistics.wilsonInterval(successes: right, of: outcomes.count)!
        let estimate = Estimate(
            value: Double(right) / Double(outcomes.count), low: interval.lower, high: interval.upper,
            sampleCount: outcomes.count, coverage: interval.coverage)
        let compared: ReportTable.Cell =
            first
            ? .missing("what the others are compared with")
            : p.map(ReportTable.Cell.number) ?? .missing("not the same answers as the first scheme's")
        return [
            .text(place.task), .text(place.scheme), .count(Set(outcomes.keys.map(\.document)).count),
            .count(outcomes.count), .estimate(estimate), compared,
        ]
    }
}
