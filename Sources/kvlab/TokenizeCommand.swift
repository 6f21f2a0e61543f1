import ArgumentParser
import Engine
import Foundation
import Models

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Print the token ids of a text, one per line.",
        discussion: "Example: kvlab tokenize --weights models/llama-3.2-1b --file prompt.txt")

    @Option(help: ArgumentHelp("A HuggingFace or MLX folder, or a GGUF file.", valueName: "DIR|FILE.gguf"))
    var weights: String

    @Option(help: "The text, UTF-8; bytes that are not are read as U+FFFD.")
    var file: String

    @Flag(help: "Add the special tokens that the tokenizer puts around a text.")
    var special = false

    @Flag(help: "Print a JSON array.")
    var json = false

    func run() throws {
        let text = try InputFile.bytes(file)
        let ids = try Checkpoint.open(weights).loadTokenizer().encode(bytes: text, addSpecialTokens: special)
        print(json ? "[\(ids.map(String.init).joined(separator: ", "))]" : ids.map(String.init).joined(separator: "\n"))
    }
}
