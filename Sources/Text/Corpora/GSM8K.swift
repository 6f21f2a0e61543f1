import Foundation

/// The problems of a GSM8K file: one JSON object a line, with a question and an answer whose last line is "#### n".
/// - Source: Cobbe et al.: Training Verifiers to Solve Math Word Problems. 2021; `grade_school_math/data/test.jsonl` of
///   github.com/openai/grade-school-math.
public struct GSM8K: Sendable {
    public struct Problem: Sendable, Equatable, Decodable {
        public let question: String
        /// The steps, with sums such as `<<3*4=12>>12`, then the result.
        public let answer: String
    }

    public let problems: [Problem]

    /// - Throws: ``TextError/unreadable(file:reason:)``, or ``TextError/inconsistent(file:problem:)`` with the line.
    public init(path: String) throws(TextError) {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw .unreadable(file: path, reason: "there is no such file, or it may not be read")
        }
        var problems: [Problem] = []
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            guard let problem = try? JSONDecoder().decode(Problem.self, from: line) else {
                throw .inconsistent(file: path, problem: "line \(number + 1) has no 'question' and 'answer'")
            }
            guard Self.result(of: problem.answer) != nil else {
                throw .inconsistent(file: path, problem: "the answer of line \(number + 1) does not end with '#### n'")
            }
            problems.append(problem)
        }
        guard !problems.isEmpty else { throw .inconsistent(file: path, problem: "there is no problem in it") }
        self.problems = problems
    }

    /// The number after the first "####" of an answer, without the commas between its thousands: "1,200" is "1200".
    /// - Returns: nil when there is none.
    public static func result(of answer: some StringProtocol) -> String? {
        guard let mark = answer.range(of: "####") else { return nil }
        let rest = answer[mark.upperBound...].drop { $0 == " " || $0 == "$" }
        var number = String(rest.prefix { $0.isASCII && ($0.isNumber || "-.,".contains($0)) })
        number.removeAll { $0 == "," }
        if number.hasSuffix(".") { number.removeLast() }
        return Double(number) == nil ? nil : number
    }
}
