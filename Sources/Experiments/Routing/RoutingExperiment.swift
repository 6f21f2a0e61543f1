import Engine
import Foundation
import Models
import Results
import Text

/// Ten experts, each with an article in its cache, and questions that go to some of them: priming computes the articles,
/// queries find them on disk, repeated queries find them in memory.
///
/// Each query is put to two experts: the one whose article answers it and another; a reporter then hears the question and
/// both answers. Each expert is asked once at most before the repeats, in which the first queries go to their first expert
/// again. Priming and asking have nothing in common but the files, as if the program had been started anew between them.
/// - Source: arXiv 2603.04428, table 8 and figure 6; its articles are not published, ours are `datasets/articles`.
public final class RoutingExperiment: Experiment {
    public static let name = "routing"
    public static let summary = "questions routed to ten experts whose articles are cached: prime, query, repeat"

    /// Values of the column `state`.
    static let phases = (priming: "1 priming (cold)", queries: "2 queries (warm)", repeats: "3 repeated (hot)")

    public var cells: [Cell] { plan.cells }
    private let laboratory: Laboratory
    private let plan: AgentPlan
    private let articles: [Article]
    private let tokenizer: Tokenizer
    private let checkpoints: [String: QualityModel]
    private let experts: Int
    private let queries: Int
    private let repeats: Int
    private let outputTokens: Int
    private let dropsPages: Bool

    public init(settings: Settings, laboratory: Laboratory) throws {
        self.laboratory = laboratory
        articles = try ArticleSet.read(laboratory.path(settings.string("articles")))
        experts = try settings.int("experts", in: 1...1000)
        queries = try settings.int("queries", in: 1...1000)
        repeats = try settings.int("repeats", in: 0...1000)
        outputTokens = try settings.int("output_tokens", in: 2...100_000)
        dropsPages = try settings.string("page_cache", oneOf: ["resident", "dropped"]) == "dropped"
        let tokenizerPath = try settings.string("tokenizer")
        tokenizer = try QualityModel(path: laboratory.path(tokenizerPath), mlaForm: .expanded).tokenizer
        var models = try AgentPlan.shapes(settings, laboratory)
        var checkpoints: [String: QualityModel] = [:]
        if settings.has("weights") {
            for path in try settings.strings("weights") {
                let checkpoint = try QualityModel(path: laboratory.path(path), mlaForm: .expanded)
                let name = checkpoint.checkpoint.name
                checkpoints[name] = checkpoint
                models.append(.init(name: name, contextLimit: checkpoint.checkpoint.configuration.contextLimit))
            }
        }
        self.checkpoints = checkpoints
        plan = try AgentPlan(
            Self.name, settings, models: models, contexts: settings.ints("contexts", in: 2...10_000_000),
            named: "contexts", extra: 3 * (outputTokens + Self.questionTokens))
        try settings.finish()
        for model in models where checkpoints[model.name] == nil {
            let rows = try laboratory.configuration(shape: model.name).vocabularySize
            guard tokenizer.vocabularySize <= rows else {
                throw settings.bad(
                    "tokenizer", "has \(tokenizer.vocabularySize) ids, more than the \(rows) of \(model.name)")
            }
        }
        guard experts <= articles.count else {
            throw settings.bad("experts", "is \(experts), and there are \(articles.count) articles")
        }
        guard 2 * queries <= experts else {
            throw settings.bad("queries", "is \(queries): with two experts each, \(experts) experts are asked more than once")
        }
        guard repeats <= queries else {
            throw settings.bad("repeats", "is \(repeats), and there are \(queries) queries to repeat")
        }
    }

    /// A question and what stands around it have no more tokens than this.
    private static let questionTokens = 256

    /// An expert or the reporter, and all that it heard and said.
    private struct Member {
        let name: String
        var history: [Int32] = []
    }

    /// What one run of the protocol leaves.
    private struct Session {
        let bench: AgentBench
        let tokenizer: Tokenizer
        /// Is the text worth looking at?
        let isTrained: Bool
        var said: [(phase: String, role: String, turn: ScheduledTurn)] = []
    }

    public func run(_ cell: Cell) throws -> [(schema: TableSchema, row: Row)] {
        let entry = plan[cell]
        var session = try session(entry)
        let bench = session.bench
        try laboratory.requireDiskSpace(
            experts * bench.layout.agentBytes(tokens: entry.context + 3 * (outputTokens + Self.questionTokens)) * 11 / 10
                + (16 << 20))
        try bench.warmUp()
        var generator = plan.generator(entry)
        let chosen = Array(articles.shuffled(using: &generator).prefix(experts))
        var members = chosen.map { Member(name: $0.subject) }
        let start = bench.now
        try prime(&members, chosen, entry, &session)
        bench.setPages(of: members.map(\.name), dropped: dropsPages)
        try ask(&members, chosen, &session)

        let paperModel = checkpoints[entry.shape] == nil ? try laboratory.paperModel(shape: entry.shape) : ""
        return session.said.enumerated().map { place, said in
            let own = session.said.filter { $0.phase == said.phase }.map(\.turn)
            let first = own.map(\.submitted).min()!
            let end = own.map { $0.submitted + .seconds($0.totalSeconds) }.max()!
            var row = bench.row(
                said.turn,
                AgentBench.Conditions(
                    cell: cell.name, pass: entry.pass, order: entry.order * 1000 + place, shape: entry.shape,
                    paperModel: paperModel, mode: said.role, state: said.phase, context: entry.context, batch: 1,
                    start: start),
                wallSeconds: (end - first).seconds)
            row["gate"] = .string(session.isTrained ? gate(said.turn) : "not asked")
            return (Self.schema, row)
        }
    }

    private func gate(_ turn: ScheduledTurn) -> String {
        let text = tokenizer.decode(turn.tokens, skipSpecialTokens: true)
        return QualityGate.passes(text, tokens: turn.tokens.count, of: outputTokens) ? "passed" : "failed"
    }

    private func session(_ entry: AgentPlan.Entry) throws -> Session {
        guard let checkpoint = checkpoints[entry.shape] else {
            let bench = try AgentBench(laboratory, shape: entry.shape, scheme: entry.scheme, seed: plan.seed)
            return Session(bench: bench, tokenizer: tokenizer, isTrained: false)
        }
        let engine = try checkpoint.engine(laboratory.execution.compute, like: laboratory.execution)
        return Session(
            bench: try AgentBench(laboratory, engine: engine, scheme: entry.scheme), tokenizer: checkpoint.tokenizer,
            isTrained: true)
    }

    private func scheduler(_ session: Session, saves: Bool) -> ConcurrentScheduler {
        var policy = SchedulerPolicy()
        policy.maximumBatch = 1
        policy.saves = saves
        return session.bench.scheduler(stored: true, policy: policy)
    }

    /// Every expert reads its article and says what it is about; its cache is saved.
    private func prime(
        _ members: inout [Member], _ articles: [Article], _ entry: AgentPlan.Entry, _ session: inout Session
    ) throws {
        let scheduler = scheduler(session, saves: true)
        for (index, article) in articles.enumerated() {
            let read = session.tokenizer.encode("Here is some text:\n\n" + article.text).prefix(entry.context)
            let asked = "\n\nWhat are the main topics and themes discussed above?\n"
            try hear(
                &members[index], Array(read) + session.tokenizer.encode(asked, addSpecialTokens: false), Self.phases.priming,
                "expert", scheduler, &session)
        }
        _ = try scheduler.drain()
        guard scheduler.statistics.failedSaves == 0 else {
            throw ExperimentsError.turnFailed(agent: "an expert", reason: scheduler.statistics.lastSaveFailure)
        }
    }

    /// Every query to two experts and the reporter, then the first ones again.
    private func ask(_ members: inout [Member], _ articles: [Article], _ session: inout Session) throws {
        let scheduler = scheduler(session, saves: false)
        var reporter = Member(name: "reporter")
        for query in 0..<queries {
            let pair = [2 * query, 2 * query + 1]
            let question = articles[pair[0]].questions[0]
            var report = "\n\nQuestion: \(question)\n"
            for index in pair {
                let answer = try answer(&members[index], question, Self.phases.queries, scheduler, &session)
                report += "The expert on \(articles[index].subject): \(answer)\n"
            }
            try hear(
                &reporter, session.tokenizer.encode(report + "Report:", addSpecialTokens: reporter.history.isEmpty),
                Self.phases.queries, "reporter", scheduler, &session)
        }
        for query in 0..<repeats {
            _ = try answer(
                &members[2 * query], articles[2 * query].questions[0], Self.phases.repeats, scheduler, &session)
        }
    }

    /// What an expert says to a question.
    private func answer(
        _ member: inout Member, _ question: String, _ phase: String, _ scheduler: ConcurrentScheduler,
        _ session: inout Session
    ) throws -> String {
        let tokens = session.tokenizer.encode("\n\nQuestion: \(question)\nAnswer:", addSpecialTokens: false)
        return try hear(&member, tokens, phase, "expert", scheduler, &session)
    }

    /// A turn of a member: `tokens` come behind all that it heard and said.
    /// - Returns: what it says.
    @discardableResult
    private func hear(
        _ member: inout Member, _ tokens: [Int32], _ phase: String, _ role: String, _ scheduler: ConcurrentScheduler,
        _ session: inout Session
    ) throws -> String {
        member.history += tokens
        var request = ScheduledRequest(agent: member.name, prompt: member.history, maximumTokens: outputTokens)
        if session.isTrained { request.stopTokens = Set(session.tokenizer.specialTokens.stopIDs) }
        try scheduler.submit(request)
        let turn = try session.bench.serve(1, on: scheduler).turns[0]
        member.history += turn.tokens
        session.said.append((phase, role, turn))
        return session.tokenizer.decode(turn.tokens, skipSpecialTokens: true)
    }

    public static let schema = TableSchema(
        name: name, title: "Questions routed to experts, one row per turn",
        columns: AgentBench.schema(name: name, title: "").columns + [
            ColumnSchema("gate", .string, "Gate on the generated text: passed, failed, or not asked of synthetic weights")
        ])
}
