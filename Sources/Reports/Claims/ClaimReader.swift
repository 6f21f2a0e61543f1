import Yams

/// Reads one mapping of the ledger key by key; ``finish()`` refuses every key that nobody asked for.
final class ClaimReader {
    private let what: String
    private let file: String
    private let line: Int
    private let values: [(key: Node, value: Node)]
    private var asked: [String] = []

    init(_ node: Node, what: String, file: String) throws {
        guard let mapping = node.mapping else {
            throw ReportsError.badClaim(
                file: file, line: node.mark?.line ?? 1, problem: "\(what) must hold keys and values")
        }
        self.what = what
        self.file = file
        line = node.mark?.line ?? 1
        values = mapping.map { ($0.key, $0.value) }
    }

    func optional(_ key: String) -> Node? {
        asked.append(key)
        return values.first { $0.key.string == key }?.value
    }

    func required(_ key: String) throws -> Node {
        if let node = optional(key) { return node }
        // A misspelt key is what is wrong, not the missing one.
        let known = Set(Self.everyKey)
        if let odd = values.first(where: { !known.contains($0.key.string ?? "") }) { throw unknown(odd.key) }
        throw ReportsError.badClaim(file: file, line: line, problem: "\(what) has no '\(key)'")
    }

    func text(_ key: String) throws -> String { try text(try required(key), key) }

    func optionalText(_ key: String) throws -> String? { try optional(key).map { try text($0, key) } }

    func rule(_ key: String) throws -> ClaimReader? {
        try optional(key).map { try ClaimReader($0, what: "a rule", file: file) }
    }

    /// A column, or a list of columns.
    func columns(_ key: String) throws -> [ClaimRule.Column]? {
        try optional(key).map { node in
            try (node.sequence.map(Array.init) ?? [node]).map { one in
                ClaimRule.Column(name: try text(one, key), line: one.mark?.line ?? line)
            }
        }
    }

    /// Conditions by column.
    func conditions(_ key: String) throws -> [RowCondition]? {
        guard let node = optional(key) else { return nil }
        guard let mapping = node.mapping else { throw bad(node, "'\(key)' must hold columns and values") }
        return try mapping.map { name, value in
            RowCondition(
                column: ClaimRule.Column(name: name.string ?? "?", line: name.mark?.line ?? line),
                test: try test(value, name.string ?? "?"))
        }
    }

    func number(_ node: Node, _ key: String) throws -> Double {
        guard let number = Self.number(node) else { throw bad(node, "'\(key)' must be a number") }
        return number
    }

    func finish() throws {
        if let odd = values.first(where: { !asked.contains($0.key.string ?? "") }) { throw unknown(odd.key) }
    }

    func bad(_ node: Node?, _ problem: String) -> ReportsError {
        .badClaim(file: file, line: node?.mark?.line ?? line, problem: problem)
    }

    private func test(_ node: Node, _ column: String) throws -> RowCondition.Test {
        if node.mapping != nil {
            let range = try ClaimReader(node, what: "the range of '\(column)'", file: file)
            let low = try range.optional("min").map { try number($0, "min") }
            let high = try range.optional("max").map { try number($0, "max") }
            try range.finish()
            return .range(low: low ?? -.infinity, high: high ?? .infinity)
        }
        let nodes = node.sequence.map(Array.init) ?? [node]
        let numbers = nodes.compactMap(Self.number)
        if numbers.count == nodes.count { return .numbers(numbers) }
        return .texts(try nodes.map { try text($0, column) })
    }

    /// A number that is not written as a text.
    private static func number(_ node: Node) -> Double? {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return nil }
        return Double(scalar.string)
    }

    private func text(_ node: Node, _ key: String) throws -> String {
        guard let text = node.scalar?.string, !text.isEmpty else { throw bad(node, "'\(key)' must be text") }
        return text
    }

    private func unknown(_ key: Node) -> ReportsError {
        let known = orderedSet(asked).joined(separator: ", ")
        return bad(key, "\(what) has no key '\(key.string ?? "?")'; known so far are \(known)")
    }

    /// Keys of claims and rules.
    private static let everyKey =
        ["claims", "id", "paper", "where", "claim", "published", "remark", "rule", "not_runnable", "awaits"]
        + ["experiment", "table", "rows", "value", "of", "over", "each", "sample", "unit", "explain", "without_rows"] + ClaimBound.keys
}
