import Results

/// A results table as rules see it: its columns, and `context`.
struct ClaimRows {
    let table: ResultTable
    /// The ledger, for messages.
    let file: String

    var indices: Range<Int> { 0..<table.rowCount }

    /// Names that a rule may use.
    var names: [String] {
        let own = table.schema.columns.map(\.name)
        return own.contains("context_tokens") ? own + ["context"] : own
    }

    func has(_ name: String) -> Bool { names.contains(name) }

    /// A column of numbers.
    /// - Throws: ``ReportsError/badClaim(file:line:problem:)`` when there is none, or it holds texts.
    func numbers(_ column: ClaimRule.Column) throws -> [Double] {
        try check(column)
        if column.name == "context" { return contexts.map(Double.init) }
        if let list = table.doubles(column.name) { return list }
        if let list = table.ints(column.name) { return list.map(Double.init) }
        throw problem(column, "column '\(column.name)' of table '\(table.schema.name)' holds texts, not numbers")
    }

    /// A column of texts.
    func texts(_ column: ClaimRule.Column) throws -> [String] {
        try check(column)
        guard let list = table.strings(column.name) else {
            throw problem(column, "column '\(column.name)' of table '\(table.schema.name)' holds numbers, not texts")
        }
        return list
    }

    /// Any column as texts, to tell rows apart.
    func labels(_ column: ClaimRule.Column) throws -> [String] {
        if column.name == "context" { return try numbers(column).map { NumberText.context(Int($0)) } }
        if let list = table.strings(column.name) { return list }
        return try numbers(column).map(NumberText.exact)
    }

    /// The published context length that each row stands for; a request that extends a cold one belongs to that one.
    private var contexts: [Int] {
        let tokens = (table.ints("context_tokens") ?? []).map(Int.init)
        let groups = ["shape", "protocol"].compactMap(table.strings)
        func group(_ row: Int) -> [String] { groups.map { $0[row] } }
        var cold: [[String]: Set<Int>] = [:]
        for (row, state) in (table.strings("state") ?? []).enumerated() where state == "cold" {
            cold[group(row), default: []].insert(tokens[row])
        }
        return tokens.enumerated().map { row, own in
            TTFTBlock.nominal(cold[group(row)]?.filter { $0 <= own }.max() ?? own)
        }
    }

    private func check(_ column: ClaimRule.Column) throws {
        guard has(column.name) else {
            throw problem(
                column, "table '\(table.schema.name)' has no column '\(column.name)'; it has \(names.joined(separator: ", "))")
        }
    }

    private func problem(_ column: ClaimRule.Column, _ text: String) -> ReportsError {
        .badClaim(file: file, line: column.line, problem: text)
    }
}
