import Foundation
import Testing

/// `scripts/datasets.sh` with local copies; what it fetches from elsewhere no test fetches.
@Suite struct DatasetsScriptTests {
    @Test func refusesOtherFiles() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ path: String) throws -> String {
            let process = Process()
            let errors = Pipe()
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = [Program.root + "/scripts/datasets.sh"]
            process.environment = ["PATH": "/usr/bin:/bin", "DATASETS": folder + "/external", "GSM8K": path]
            process.standardError = errors
            try process.run()
            let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 1)
            return text.replacingOccurrences(of: folder, with: "FOLDER")
        }
        let file = folder + "/test.jsonl"
        try Data("{}\n".utf8).write(to: URL(fileURLWithPath: file))
        #expect(try run(file) == "datasets: FOLDER/test.jsonl has 3 bytes and not 749738; it was not taken\n")
        // The right length does not do.
        try Data(repeating: 0x20, count: 749_738).write(to: URL(fileURLWithPath: file))
        #expect(try run(file).hasPrefix("datasets: FOLDER/test.jsonl has the SHA-256 "))
        #expect(try run("/nowhere") == "datasets: GSM8K is '/nowhere', which cannot be read\n")
        #expect(!FileManager.default.fileExists(atPath: folder + "/external/gsm8k"))
    }
}
