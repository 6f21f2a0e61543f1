import Foundation
import Results
import Yams

/// Every claim of both papers: `claims.yaml` in the folder of published numbers.
public struct ClaimLedger: Sendable, Equatable {
    /// The file it was read from, for messages.
    public let file: String
    public let claims: [Claim]
    /// SHA-256 of the file, hex.
    public let digest: String

    /// Reads `claims.yaml` of the folder.
    /// - Throws: ``ReportsError/unreadable(file:reason:)``, ``ReportsError/badClaim(file:line:problem:)``.
    public init(_ published: PublishedNumbers) throws {
        let file = published.folder + "/claims.yaml"
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ReportsError.unreadable(
                file: file,
                reason: FileManager.default.fileExists(atPath: file) ? "it is not readable" : "there is no such file")
        }
        try self.init(text: String(decoding: data, as: UTF8.self), file: file)
    }

    /// Reads the text of such a file; `file` is only for messages.
    public init(text: String, file: String) throws {
        self.file = file
        digest = RunDirectory.digest(of: Array(text.utf8))
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw Self.syntax(error, file)
        }
        guard let root else { throw ReportsError.badClaim(file: file, line: 1, problem: "there is no claim") }
        let reader = try ClaimReader(root, what: "the ledger", file: file)
        let list = try reader.required("claims")
        guard let nodes = list.sequence, !nodes.isEmpty else { throw reader.bad(list, "'claims' must be a list of claims") }
        try reader.finish()
        claims = try nodes.map { try Claim(ClaimReader($0, what: "a claim", file: file)) }
        var seen: Set<String> = []
        for (claim, node) in zip(claims, nodes) where !seen.insert(claim.id).inserted {
            throw reader.bad(node, "claim '\(claim.id)' stands there twice")
        }
    }

    /// What `results` say of every claim, in the order of the ledger.
    /// - Throws: ``ReportsError/badClaim(file:line:problem:)`` when a rule does not fit the tables of `results`.
    public func decide(_ results: ResultsFile) throws -> [ClaimOutcome] {
        try claims.map { claim in
            switch claim.decision {
            case .rule(let rule): try rule.decide(claim, results, file: file)
            case .notRunnable(let reason): ClaimOutcome(claim: claim, verdict: .notRunnable(reason: reason))
            case .awaits(let experiment):
                ClaimOutcome(
                    claim: claim, verdict: .notMeasured(reason: "this version of kvlab has no experiment '\(experiment)'"))
            }
        }
    }

    /// Whether the rules are those that stood when the run began, in a sentence.
    public func age(of results: ResultsFile) -> String {
        let recorded = results.machine.first { $0.name == Self.attributeName }?.value
        return switch recorded {
        case .string(digest)?: "The rules stood as they are before the run."
        case .string?: "The rules were changed after the run began."
        default: "The run did not record which rules stood when it began."
        }
    }

    /// The attribute of the machine record that holds the SHA-256 of the ledger when the run began.
    public static let attributeName = "claims_sha256"

    private static func syntax(_ error: YamlError, _ file: String) -> ReportsError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            .badClaim(file: file, line: mark.line, problem: "it is not YAML, \(problem)")
        default: .unreadable(file: file, reason: "it is not YAML")
        }
    }
}
