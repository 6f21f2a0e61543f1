import Foundation
import Results

/// A number computed from the rows of one sample: `median(ttft_seconds)`, `sum(output_tokens) / max(wall_seconds)`,
/// `exp(sum(loss_sum - base_loss_sum) / sum(tokens_scored))`.
///
/// Grammar: `value = quotient | "exp(" quotient ")"`, `quotient = part ["/" part]`, `part = name "(" column ["-" column] ")"`,
/// with the names median, mean, sum, min and max.
struct ClaimValue: Sendable, Equatable {
    enum Statistic: String, Sendable, CaseIterable {
        case median, mean, sum, min, max

        func of(_ values: [Double]) -> Double {
            switch self {
            case .median: Statistics.median(values)
            case .mean: Statistics.mean(values)
            case .sum: values.reduce(0, +)
            case .min: values.min() ?? .nan
            case .max: values.max() ?? .nan
            }
        }
    }

    struct Part: Sendable, Equatable {
        var statistic: Statistic
        var column: ClaimRule.Column
        var minus: ClaimRule.Column?
    }

    /// As written.
    let text: String
    private var top: Part
    private var bottom: Part?
    private var isExponential: Bool

    /// - Throws: ``Mistake``.
    init(_ text: String, line: Int) throws(Mistake) {
        var tokens = Self.tokens(text)[...]
        func next() -> String? { tokens.popFirst() }
        func expect(_ token: String, after what: String) throws(Mistake) {
            let found = next()
            guard found == token else {
                throw Mistake(problem: "'\(text)' has \(found.map { "'\($0)'" } ?? "nothing") where '\(token)' must follow \(what)")
            }
        }
        func column() throws(Mistake) -> ClaimRule.Column {
            guard let name = next(), name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else {
                throw Mistake(problem: "'\(text)' lacks the name of a column")
            }
            return ClaimRule.Column(name: name, line: line)
        }
        func part() throws(Mistake) -> Part {
            let name = next() ?? ""
            guard let statistic = Statistic(rawValue: name) else {
                let known = Statistic.allCases.map(\.rawValue).joined(separator: ", ")
                throw Mistake(problem: "'\(text)' has '\(name)' where one of \(known) must stand")
            }
            try expect("(", after: name)
            var part = Part(statistic: statistic, column: try column())
            if tokens.first == "-" {
                _ = next()
                part.minus = try column()
            }
            try expect(")", after: "a column")
            return part
        }
        isExponential = tokens.first == "exp"
        if isExponential {
            _ = next()
            try expect("(", after: "exp")
        }
        top = try part()
        if tokens.first == "/" {
            _ = next()
            bottom = try part()
        }
        if isExponential { try expect(")", after: "exp") }
        guard tokens.isEmpty else { throw Mistake(problem: "'\(text)' goes on after its end with '\(tokens.joined())'") }
        self.text = text
    }

    struct Mistake: Error { var problem: String }

    /// The value of each list of rows; NaN where a sample is missing.
    func of(_ lists: [[Int]], in rows: ClaimRows) throws -> [Double] {
        let above = try Self.values(top, lists, rows)
        var values = above
        if let bottom {
            values = zip(above, try Self.values(bottom, lists, rows)).map { $0 / $1 }
        }
        return isExponential ? values.map(exp) : values
    }

    private static func values(_ part: Part, _ lists: [[Int]], _ rows: ClaimRows) throws -> [Double] {
        var column = try rows.numbers(part.column)
        if let minus = part.minus { column = zip(column, try rows.numbers(minus)).map { $0 - $1 } }
        return lists.map { list in part.statistic.of(list.map { column[$0] }) }
    }

    private static func tokens(_ text: String) -> [String] {
        var tokens: [String] = []
        var word = ""
        for character in text + " " {
            if character.isLetter || character.isNumber || character == "_" {
                word.append(character)
                continue
            }
            if !word.isEmpty { tokens.append(word) }
            word = ""
            if !character.isWhitespace { tokens.append(String(character)) }
        }
        return tokens
    }
}
