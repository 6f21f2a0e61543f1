import Foundation
import Testing

/// `docs/adding-a-scheme.md`: its program is the one in `examples/`, and its commands run, one after another, in a folder with
/// the files of the checkout.
@Suite struct AddingASchemeTests {
    private let program = Program()
    private let document: String

    init() throws {
        document = try String(contentsOfFile: Program.root + "/docs/adding-a-scheme.md", encoding: .utf8)
    }

    /// What stands between the fences of a language.
    private func blocks(_ language: String) -> [String] {
        document.components(separatedBy: "```\(language)\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }

    @Test func theProgramIsTheExample() throws {
        let example = try String(contentsOfFile: Program.root + "/examples/python/outlier2.py", encoding: .utf8)
        #expect(blocks("python") == [example])
    }

    /// A folder like the checkout: what is written to is a copy.
    private func checkout() throws -> String {
        let (files, folder) = (FileManager.default, program.folder + "/checkout")
        for part in ["Sources", "Tests/SchemesTests", "docs"] {
            try files.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        for part in ["Sources/Schemes", "Tests/SchemesTests/SchemeBounds.swift", "docs/schemes.md"] {
            try files.copyItem(atPath: "\(Program.root)/\(part)", toPath: "\(folder)/\(part)")
        }
        for part in ["datasets", "examples", "experiments"] {
            try files.createSymbolicLink(atPath: "\(folder)/\(part)", withDestinationPath: "\(Program.root)/\(part)")
        }
        return folder
    }

    private func shell(_ command: String, in folder: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "PATH=\(Program.root)/.build/release:$PATH; \(command)"]
        process.currentDirectoryURL = URL(filePath: folder)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }

    private static let hasNumpy: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", "import numpy"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(.enabled(if: hasNumpy)) func itsCommandsRun() throws {
        let folder = try checkout()
        let commands = blocks("sh").flatMap { $0.split(separator: "\n").map(String.init) }
        #expect(commands.count == 4)
        for command in commands {
            // Less of everything than a user wants to know.
            let less = command.contains("compare") ? " --set window=256 --set documents=1 --set tasks=dialogue --set depth=64" : ""
            let (status, output) = try shell(command + less, in: folder)
            #expect(status == 0, "\(command): \(output)")
            if command.contains("compare") { #expect(output.contains("\npython:examples/python/outlier2.py#"), "\(output)") }
        }
        #expect(FileManager.default.fileExists(atPath: folder + "/results/latest/figures/F-schemes.svg"))
    }

    /// One file is new, and in three one line.
    @Test func aNewSchemeIsAFileAndThreeLines() throws {
        let folder = try checkout()
        let outcome = try program.run(["scheme", "new", "my-scheme_2", "--sources", folder])
        #expect(outcome.status == 0, "\(outcome.errors)")
        func added(_ file: String) throws -> [String] {
            let old = try String(contentsOfFile: "\(Program.root)/\(file)", encoding: .utf8).components(separatedBy: "\n")
            let new = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8).components(separatedBy: "\n")
            let changes = new.difference(from: old)
            #expect(changes.removals.isEmpty, "\(file)")
            return changes.insertions.map { if case .insert(_, let line, _) = $0 { line } else { "" } }
        }
        #expect(try added("Sources/Schemes/SchemeRegistry.swift") == ["        [MyScheme2Scheme()],"])
        let bounds = try added("Tests/SchemesTests/SchemeBounds.swift")
        #expect(bounds.count == 1 && bounds[0].hasPrefix("        \"my-scheme_2\": { blocks($0, of: MyScheme2Scheme.groupSize)"))
        #expect(try added("docs/schemes.md") == ["| `my-scheme_2` | 4.5 | 36 | 72 | 108 | 144 | 324 |"])
        let source = try String(contentsOfFile: folder + "/Sources/Schemes/MyScheme2Scheme.swift", encoding: .utf8)
        #expect(source.contains("struct MyScheme2Scheme: KVScheme {") && source.contains("\"my-scheme_2\""))
        #expect(!source.contains("absmax") && !source.contains("Absmax"))

        for (name, said) in [
            ("my-scheme_2", "There is a file Sources/Schemes/MyScheme2Scheme.swift already; take another name."),
            ("q4_0", "There is a scheme named 'q4_0' already; see kvlab schemes."),
            ("My Scheme", "A scheme's name is made of small letters, digits and single '-' or '_', such as 'my-scheme-2'; this is 'My Scheme'."),
        ] {
            let outcome = try program.run(["scheme", "new", name, "--sources", folder])
            #expect(outcome.status == 1 && outcome.errors.contains(said), "\(outcome.errors)")
        }
    }
}
