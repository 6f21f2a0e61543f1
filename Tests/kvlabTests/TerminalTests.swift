import Foundation
import Testing

/// What a person at a terminal sees. `script` gives the program one.
@Suite struct TerminalTests {
    private let program = Program()

    private static var hasScript: Bool {
        #if os(Linux)
        FileManager.default.isExecutableFile(atPath: "/usr/bin/script")
        #else
        false
        #endif
    }

    /// Everything that the program writes to a terminal.
    private func screen(_ arguments: String, environment: [String: String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
        process.arguments = ["-qec", "\(Program.root)/.build/release/kvlab \(arguments)", "/dev/null"]
        process.currentDirectoryURL = URL(fileURLWithPath: Program.root)
        process.environment = ["PATH": "/usr/bin:/bin", "TERM": "xterm"].merging(environment) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self)
    }

    @Test(.enabled(if: hasScript)) func coloursOnATerminalOnly() throws {
        let claims = "claims results/reference/results.h5"
        #expect(try screen(claims, environment: [:]).contains("\u{1B}[32mreproduced\u{1B}[0m"))
        for quiet in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
            let text = try screen(claims, environment: quiet)
            #expect(text.contains("reproduced") && !text.contains("\u{1B}["))
        }
        // An empty NO_COLOR asks for nothing.
        #expect(try screen(claims, environment: ["NO_COLOR": ""]).contains("\u{1B}[32m"))
        #expect(!(try program.run(["claims", "results/reference/results.h5"])).output.contains("\u{1B}["))
    }

    /// The grid has a line for each experiment and goes from empty to full.
    @Test(.enabled(if: hasScript)) func theGridFills() throws {
        let run = """
            run experiments/capacity.yaml --profile quick --set shapes=[llama-quick] --set contexts=[1024] \
            --set measured_budgets=['64 MiB'] --out \(program.folder)
            """
        let text = try screen(run, environment: ["NO_COLOR": "1"])
        #expect(text.contains("capacity  ░") && text.contains("█"), "\(text.suffix(2000))")
        #expect(text.contains("[1/") && text.contains("Report: "), "\(text.suffix(2000))")
        #expect(!text.contains("\u{1B}[32m"))
    }
}
