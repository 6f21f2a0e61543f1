import ArgumentParser
import Experiments
import Foundation
import Reports
import Results
import Schemes

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare cache schemes: bytes, speed, predictions, exact answers, restored caches.",
        discussion: """
            Example: kvlab compare --model llama-mini --schemes 'q8_0, affine-q4-g64, hadamard-64(q4_0), k=q8_0,v=q4_0'
            Runs experiments/schemes.yaml with these settings and prints its table; the folder of the run has all columns, the \
            tests of A against B and the figure. Each scheme is measured until the interval of its mean KL divergence is \
            narrow enough or its time is used up; the table says which.
            """)

    @Option(help: "A checkpoint of datasets/checkpoints by its name, or a folder or GGUF file; all of datasets/checkpoints by default.")
    var model: String?

    @Option(help: "Cache schemes, separated by commas or spaces; may be given several times. Those of the experiment by default.")
    var schemes: [String] = []

    @Option(help: ArgumentHelp("The widest interval of the mean KL divergence, over the mean.", valueName: "share"))
    var interval: Double?

    @Option(help: "Seconds for the windows of each scheme.")
    var seconds: Double?

    @OptionGroup var options: RunOptions

    func validate() throws {
        if let interval, !(interval > 0) { throw ValidationError("--interval must be more than 0, and is \(interval).") }
        if let seconds, !(seconds > 0) { throw ValidationError("--seconds must be more than 0, and is \(seconds).") }
    }

    func run() async throws {
        let files = try ProjectFiles.locate()
        var settings: [String] = []
        if let model { settings.append("weights=\(try YAMLText.list([files.checkpoint(model)]))") }
        if !schemes.isEmpty {
            let expressions = try schemes.flatMap { try CacheScheme.list($0) }.map(\.description)
            guard !expressions.isEmpty else { throw ValidationError("--schemes names no cache scheme; see kvlab schemes.") }
            settings.append("schemes=\(try YAMLText.list(expressions))")
        }
        if let interval { settings.append("relative_interval=\(interval)") }
        if let seconds { settings.append("seconds_per_scheme=\(seconds)") }
        try await options.run(["\(files.experiments)/schemes.yaml"], files: files, settings: settings) {
            try $0.plainTables("schemes", columns: Self.columns, of: $1, resultsPath: $2)
        }
    }

    private static let columns = [
        "scheme", "bits", "encoded_bits", "bytes_per_token", "kld_mean", "kld_p99", "top1", "ln_ppl_ratio", "right", "p_holm",
        "tokens_per_second", "restored_difference", "windows", "stopped_by",
    ]
}
