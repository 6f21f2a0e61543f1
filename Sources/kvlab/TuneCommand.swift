import ArgumentParser
import Experiments
import Reports
import Schemes

struct TuneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune", abstract: "Find a map of layers: which scheme each layer's keys and values should have.",
        discussion: """
            Example: kvlab tune --model llama-mini --budget 3.5 --candidates 'affine-q2-g64, affine-q3-g64, affine-q4-g64'
            Runs experiments/tune.yaml with these settings and prints its table: the map for each budget, as an expression for \
            --kv, beside every candidate on all layers. Maps are searched on some texts and judged on others.
            """)

    @Option(help: "A checkpoint of datasets/checkpoints by its name, or a folder or GGUF file; all of datasets/checkpoints by default.")
    var model: String?

    @Option(help: "Bits per element that a map may have, scales among them; may be given several times.")
    var budget: [Double] = []

    @Option(help: "Schemes to choose from, separated by commas or spaces. Those of the experiment by default.")
    var candidates: [String] = []

    @OptionGroup var options: RunOptions

    func run() async throws {
        let files = try ProjectFiles.locate()
        var settings: [String] = []
        if let model { settings.append("weights=\(try YAMLText.list([files.checkpoint(model)]))") }
        if !budget.isEmpty { settings.append("budgets=\(budget)") }
        if !candidates.isEmpty {
            let expressions = try candidates.flatMap { try CacheScheme.list($0) }.map(\.description)
            guard !expressions.isEmpty else { throw ValidationError("--candidates names no cache scheme; see kvlab schemes.") }
            settings.append("candidates=\(try YAMLText.list(expressions))")
        }
        try await options.run(["\(files.experiments)/tune.yaml"], files: files, settings: settings) {
            try $0.plainTables("tune", columns: Self.columns, of: $1, resultsPath: $2)
        }
    }

    private static let columns = ["kind", "budget", "bits", "kld", "against_uniform", "predicted", "scheme"]
}
