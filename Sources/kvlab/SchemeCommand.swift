import ArgumentParser
import Experiments
import Schemes

struct SchemeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheme", abstract: "Add a cache scheme to the sources.", subcommands: [New.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a new scheme's file and the three lines that register, test and document it.",
            discussion: """
                The new scheme starts as a copy of absmax-4, under its own name. docs/adding-a-scheme.md goes on from there.

                Example: kvlab scheme new my-scheme
                """)

        @Argument(help: "Name of the scheme: small letters, digits, '-' and '_'.")
        var name: String

        @Option(help: "Folder of the sources; that of this program's where nothing is said.")
        var sources: String?

        func run() throws {
            let root = try sources ?? ProjectFiles.locate().root
            let scheme = try NewScheme(name: name, root: root, taken: SchemeRegistry.all.map(\.name))
            for (file, what) in try scheme.write() { print("\(file)  \(what)") }
            print("Change \(scheme.source), then: make test && kvlab compare --schemes '\(name), q4_0'")
        }
    }
}
