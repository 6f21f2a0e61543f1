import Caches
import Experiments
import Foundation
import Results
import Testing

/// A small run of `handoff`, with another process that sends.
@Suite(.serialized) struct HandoffExperimentTests {
    /// Whether this machine can reach itself over TCP: a sandbox without network cannot.
    private static let hasLoopback: Bool = {
        guard let listener = try? LinkListener(on: .tcp(host: "127.0.0.1", port: 0)) else { return false }
        return (try? LinkSocket.connect(to: listener.address)) != nil
    }()

    @Test func everyWay() throws {
        let ways = ["memory", "file", "unix"] + (Self.hasLoopback ? ["tcp"] : [])
        let lab = try RunnerTests.Lab()
        try lab.write(
            "experiments/handoff.yaml",
            """
            experiment: handoff
            title: A small run
            profiles:
              quick: {models: [tiny/1], schemes: [affine-q4-g64, fp16], media: [\(ways.joined(separator: ", "))],
                      contexts: [300], own_tokens: [0, 7], new_tokens: 5, output_tokens: 4, passes: 1, seed: 1}
            """)
        let table = try #require(try lab.run(["handoff"]).file.table("handoff"))
        let rows = (0..<table.rowCount).map { table.row($0) }
        // Two schemes and two places; and a prefill for each place.
        #expect(rows.count == 2 * 2 * ways.count + 2)
        func number(_ row: Row, _ key: String) -> Double {
            switch row[key] {
            case .double(let value): value
            case .int(let value): Double(value)
            default: .nan
            }
        }
        for row in rows {
            guard case .string(let way) = row["way"] else { Issue.record("no way"); continue }
            #expect(row["shape"] == .string("tiny (1 layers)"))
            let stages = ["make", "write", "transfer", "read", "verify", "inject", "forward"].map { ($0, number(row, "\($0)_seconds")) }
            let happened = Set(stages.filter { $0.1.isFinite }.map(\.0))
            let expected: Set<String> =
                switch way {
                case "prefill": ["forward"]
                case "memory": ["make", "read", "verify", "inject", "forward"]
                case "file": ["make", "write", "read", "verify", "inject", "forward"]
                default: ["make", "transfer", "verify", "inject", "forward"]
                }
            #expect(happened == expected, "\(way)")
            let sum = stages.map(\.1).filter(\.isFinite).reduce(0, +)
            #expect(abs(number(row, "ttft_seconds") - sum) < 1e-9)
            #expect(abs(number(row, "handover_seconds") - sum + number(row, "forward_seconds")) < 1e-9)
            #expect(abs(number(row, "path_seconds") - sum - number(row, "generate_seconds")) < 1e-9)
            let prefill = rows.first { $0["way"] == .string("prefill") && $0["own_tokens"] == row["own_tokens"] }
            #expect(row["prefill_seconds"] == prefill?["ttft_seconds"])
            // What stayed where it was says what the sender says.
            #expect(number(row, "same_tokens") == (way != "prefill" && number(row, "own_tokens") == 0 ? 1 : -1))
            #expect((number(row, "card_bytes") > 0) == (way != "prefill"))
        }
        #expect(throws: ExperimentsError.self) { try lab.run(["handoff"], overrides: ["contexts=[5000]"]) }
        #expect(throws: ExperimentsError.self) { try lab.run(["handoff"], overrides: ["media=[pigeon]"]) }
    }

    /// A sender that fails, or never comes, is an error and no wait for ever.
    @Test func sendersThatDoNotSend() throws {
        let address = LinkAddress.unix(path: FileManager.default.temporaryDirectory.path + "/kvlab-\(getpid()).none")
        func failure(_ program: String) -> (any Error)? {
            #expect(throws: (any Error).self) {
                try HandoffSender.receive("card", at: address, program: program, timeoutSeconds: 1)
            }
        }
        #expect(
            "\(try #require(failure("/usr/bin/false")))"
                == "/usr/bin/false, which sends cards to this process, failed: it ended with status 1.")
        let silent = FileManager.default.temporaryDirectory.path + "/kvlab-silent-\(getpid())"
        try Data("#!/bin/sh\nexec sleep 60\n".utf8).write(to: URL(fileURLWithPath: silent))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: silent)
        defer { try? FileManager.default.removeItem(atPath: silent) }
        #expect(failure(silent) as? CachesError == .noLink(address: "\(address)", reason: "nobody came within 1 seconds"))
        #expect(failure("/nowhere/kvlab") is ExperimentsError)
    }
}
