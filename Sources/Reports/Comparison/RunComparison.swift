import Results

/// Two runs side by side: the facts in which they differ, and every number of their tables.
///
/// Counts and bytes change when they are not equal, estimates when their intervals do not overlap. Numbers without an interval
/// are not decided on.
public struct RunComparison: Sendable {
    /// A fact of the runs or machines that is not the same.
    public struct Fact: Sendable, Equatable {
        public var name: String
        public var first: String
        public var second: String
    }

    public enum Kind: String, Sendable, CaseIterable {
        case same
        case changed
        /// No interval to decide by.
        case undecided
        case onlyInFirst = "only in the first"
        case onlyInSecond = "only in the second"
    }

    /// One number of one table.
    public struct Cell: Sendable, Equatable {
        public var table: String
        public var row: String
        public var column: String
        /// As the tables show it; empty where there is none.
        public var first: String
        public var second: String
        /// Second ÷ first; nil where one is missing or zero.
        public var ratio: Double?
        public var kind: Kind
    }

    public let facts: [Fact]
    public let cells: [Cell]
    /// How many estimates of equal runs would be said to have changed, on average.
    public let expectedByChance: Double

    /// - Parameter published: the folder of published numbers, which tables are made with.
    /// - Throws: ``ReportsError``.
    public init(_ first: ResultsFile, _ second: ResultsFile, published folder: String) throws {
        facts = Self.facts(first, second)
        let published = PublishedNumbers(folder: folder)
        func numbers(_ file: ResultsFile) throws -> [Place: Number] {
            let input = ReportInput(results: file, published: published, resultsPath: "results.h5")
            return try Self.numbers(tableDefinitions.flatMap { try $0.tables(input) })
        }
        let (before, after) = (try numbers(first), try numbers(second))
        var byChance = 0.0
        var cells: [Cell] = []
        for place in Set(before.keys).union(after.keys).sorted() {
            let (a, b) = (before[place], after[place])
            if let a = a?.estimate, let b = b?.estimate { byChance += Statistics.chanceOfMissing(a.sampleCount, b.sampleCount) }
            cells.append(
                Cell(
                    table: place.table, row: place.row, column: place.column, first: a?.text ?? "", second: b?.text ?? "",
                    ratio: a.flatMap { a in b.flatMap { a.value == 0 ? nil : $0.value / a.value } }, kind: Self.kind(a, b)))
        }
        self.cells = cells
        expectedByChance = byChance
    }

    public func count(_ kind: Kind) -> Int { cells.count { $0.kind == kind } }

    /// True when no number that can be decided on changed, and neither run lacks one of the other's.
    public var isSame: Bool { cells.allSatisfy { $0.kind == .same || $0.kind == .undecided } }

    private struct Place: Hashable, Comparable {
        var order: Int
        var table: String
        var rowOrder: Int
        var row: String
        var column: String

        static func == (a: Place, b: Place) -> Bool { (a.table, a.row, a.column) == (b.table, b.row, b.column) }
        func hash(into hasher: inout Hasher) {
            hasher.combine(table)
            hasher.combine(row)
            hasher.combine(column)
        }
        static func < (a: Place, b: Place) -> Bool { (a.order, a.table, a.rowOrder) < (b.order, b.table, b.rowOrder) }
    }

    private struct Number {
        var value: Double
        var estimate: Estimate?
        var isExact: Bool
        var text: String
    }

    /// Every number of `tables` but the published ones, by table, row and column. A row is named by its texts; rows of the same
    /// name are numbered.
    private static func numbers(_ tables: [ReportTable]) throws -> [Place: Number] {
        var all: [Place: Number] = [:]
        for (order, table) in tables.enumerated() {
            var seen: [String: Int] = [:]
            for row in table.rows.indices {
                let texts = table.rows[row].compactMap { if case .text(let text) = $0, !text.isEmpty { text } else { nil } }
                let name = texts.joined(separator: ", ")
                seen[name, default: 0] += 1
                let label = seen[name]! == 1 ? name : "\(name) (\(seen[name]!))"
                for (index, column) in table.columns.enumerated() where !column.key.contains("paper") {
                    let cell = table.rows[row][index]
                    guard let value = cell.number, value.isFinite else { continue }
                    let place = Place(order: order, table: table.id, rowOrder: row * 1000 + index, row: label, column: column.header)
                    let isExact = column.quantity == .count || column.quantity == .bytes
                    all[place] = Number(
                        value: value, estimate: cell.estimate.flatMap { $0.sampleCount > 1 ? $0 : nil }, isExact: isExact,
                        text: table.textWithUnit(row, index))
                }
            }
        }
        return all
    }

    private static func kind(_ a: Number?, _ b: Number?) -> Kind {
        guard let a else { return .onlyInSecond }
        guard let b else { return .onlyInFirst }
        if a.value == b.value { return .same }
        if a.isExact, b.isExact { return .changed }
        guard let a = a.estimate, let b = b.estimate else { return .undecided }
        return a.high < b.low || b.high < a.low ? .changed : .same
    }

    private static func facts(_ first: ResultsFile, _ second: ResultsFile) -> [Fact] {
        func list(_ file: ResultsFile) -> [(String, String)] {
            let run = file.run
            let own = [
                ("run", run.runID), ("profile", run.profile), ("commit", run.git.description),
                ("kvlab", run.kvlabVersion), ("configuration", run.configurationHash),
            ]
            return own
                + file.machine.map { fact in
                    switch fact.value {
                    case .string(let text): (fact.name, text)
                    case .int(let n): (fact.name, "\(n)")
                    case .double(let x): (fact.name, NumberText.short(x))
                    }
                }
        }
        let (a, b) = (list(first), list(second))
        let after = Dictionary(b, uniquingKeysWith: { first, _ in first })
        let before = Dictionary(a, uniquingKeysWith: { first, _ in first })
        return orderedSet(a.map(\.0) + b.map(\.0)).compactMap { name in
            let fact = Fact(name: name, first: before[name] ?? "not recorded", second: after[name] ?? "not recorded")
            return fact.first == fact.second ? nil : fact
        }
    }
}
