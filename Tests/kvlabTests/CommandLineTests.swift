import Foundation
import Testing

/// The built program, run as a user runs it.
@Suite(.serialized) struct CommandLineTests {
    private let program = Program()
    private var folder: String { program.folder }

    private func run(_ arguments: String...) throws -> Program.Outcome { try program.run(arguments) }
    private func run(_ arguments: [String]) throws -> Program.Outcome { try program.run(arguments) }

    /// A small run of the real shape: two contexts, one pass each.
    private let small = [
        "experiments/ttft.yaml", "--profile", "quick", "--set", "contexts=[256, 512]", "--set", "passes=2",
        "--set", "output_tokens=3", "--set", "page_cache=[resident]",
    ]

    @Test(arguments: [[], ["run"], ["reproduce"], ["report"], ["claims"], ["check"], ["bench"], ["export"], ["generate"], ["logits"], ["tokenize"], ["schemes"], ["shapes"], ["models"], ["experiments"], ["machine"]])
    func help(command: [String]) throws {
        let outcome = try run(command + ["--help"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("USAGE: kvlab"))
        if !command.isEmpty { #expect(outcome.output.contains("Example: kvlab \(command[0])")) }
    }

    @Test func listsAreJSON() throws {
        for command in ["schemes", "shapes", "models", "experiments", "machine"] {
            let outcome = try run(command, "--json")
            #expect(outcome.status == 0)
            let rows = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: String]]
            #expect(rows?.isEmpty == false)
        }
    }

    @Test func mistakesHaveTheirStatusAndSentence() throws {
        let usage = try run("run")
        #expect(usage.status == 2)
        #expect(usage.errors.contains("Missing expected argument '<file>'"))
        let missing = try run("run", "nothing.yaml", "--out", folder)
        #expect(missing.status == 1)
        #expect(missing.errors == "Error: Cannot read nothing.yaml: there is no such file.\n")
        let isa = try run("run", "experiments/ttft.yaml", "--isa", "sse9")
        #expect(isa.status == 1 && isa.errors.hasPrefix("Error: This machine has no kernels for instruction set 'sse9'; it has: scalar"))
        let only = try run("reproduce", "--only", "tfft")
        #expect(only.status == 1)
        #expect(only.errors.hasPrefix("Error: Unknown experiment 'tfft'. Did you mean 'ttft'? Available: "))
        let report = try run("report", "/nowhere/results.h5")
        #expect(report.status == 1 && report.errors.hasPrefix("Error: "))
        let readOnly = try run(["run"] + small + ["--out", "/proc/kvlab"])
        #expect(readOnly.status == 1)
        #expect(readOnly.errors.hasPrefix("Error: Cannot write to /proc/kvlab: "))
    }

    /// What changed decides the status of `check`; nothing changes against itself.
    @Test func checkAndClaims() throws {
        let reference = "results/reference/results.h5"
        let same = try run("check", reference, reference)
        #expect(same.status == 0 && same.output.contains(" 0 changed, "))
        let cut = folder + "/cut.h5"
        try Data(contentsOf: URL(fileURLWithPath: "\(Program.root)/\(reference)")).prefix(10_000).write(to: URL(fileURLWithPath: cut))
        let damaged = try run("check", reference, cut)
        #expect(damaged.status == 1 && damaged.errors.hasPrefix("Error: '\(cut)' is damaged in group '/': "))
        #expect(try run("check", reference).status == 2)
        let claims = try run("claims", reference, "--json")
        let list = try JSONSerialization.jsonObject(with: Data(claims.output.utf8)) as? [[String: Any]]
        #expect(claims.status == 0 && (list?.count ?? 0) >= 40)
        #expect(list?.allSatisfy { $0["verdict"] is String && $0["rule"] is String } == true)
    }

    /// Killed in the middle and started again, it ends with the cells of a run that was left alone, none twice; and the
    /// report drawn again is the same to the byte.
    @Test func killedAndResumed() async throws {
        let arguments = ["run"] + small + ["--out", folder + "/results", "--resume"]
        let (process, _, errors) = try program.start(arguments)
        while process.isRunning {
            let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
            if text.contains("[2/4]") { break }
            try await Task.sleep(for: .milliseconds(2))
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()

        let resumed = try run(arguments)
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(resumed.errors.contains("4 cells, 2 of them finished before."))
        #expect(resumed.errors.contains("[2/2]"))
        #expect(resumed.output.contains("Report: "))

        let latest = folder + "/results/latest"
        for file in ["results.h5", "run.yaml", "report.md", "manifest.sha256", "tables", "figures"] {
            #expect(FileManager.default.fileExists(atPath: "\(latest)/\(file)"), "\(file)")
        }
        let again = try run("report", latest + "/results.h5", "--out", folder + "/again")
        #expect(again.status == 0, "\(again.errors)")
        var compared = 0
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder + "/again")
        where ["md", "csv", "tex", "tsv", "svg", "gp"].contains((name as NSString).pathExtension) {
            #expect(FileManager.default.contentsEqual(atPath: "\(latest)/\(name)", andPath: "\(folder)/again/\(name)"), "\(name)")
            compared += 1
        }
        #expect(compared > 10)
    }
}
