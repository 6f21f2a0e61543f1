/// What a column must hold for a row to count.
struct RowCondition: Sendable, Equatable {
    enum Test: Sendable, Equatable {
        case texts([String])
        case numbers([Double])
        case range(low: Double, high: Double)
    }

    var column: ClaimRule.Column
    var test: Test

    /// For each row of `rows`, whether it passes.
    func passes(_ rows: ClaimRows) throws -> [Bool] {
        switch test {
        case .texts(let allowed): try rows.texts(column).map(allowed.contains)
        case .numbers(let allowed): try rows.numbers(column).map(allowed.contains)
        case .range(let low, let high): try rows.numbers(column).map { $0 >= low && $0 <= high }
        }
    }

    /// "state cold, context 1K or 2K"
    static func text(_ conditions: [RowCondition]) -> String { conditions.map(\.text).joined(separator: ", ") }

    private var text: String {
        func shown(_ x: Double) -> String {
            column.name == "context" ? NumberText.context(Int(x)) : NumberText.exact(x)
        }
        switch test {
        case .texts(let allowed): return "\(column.name) \(allowed.joined(separator: " or "))"
        case .numbers(let allowed): return "\(column.name) \(allowed.map(shown).joined(separator: " or "))"
        case .range(let low, .infinity): return "\(column.name) from \(shown(low))"
        case .range(-.infinity, let high): return "\(column.name) up to \(shown(high))"
        case .range(let low, let high): return "\(column.name) from \(shown(low)) to \(shown(high))"
        }
    }
}
