import Engine
import Foundation
import Models
import Tensors
import Testing
import Text

/// A checkpoint's tokenizer in the GGUF file that it is exported to.
@Suite struct ExportedTokenizerTests {
    private static let texts = [
        "", " ", "a", "The mean of 12 values is 3.75, not 4.", "x  y\n\n  z\t1\r\n 22", "10\u{A0}000 ½½ ² 3's I'll",
        "naïve café – 東京 🙂 e\u{301}", "<|endoftext|> and <|pad|>", "def f(x):\n    return x**2 + 1e-9  # ≈",
    ]

    @Test(arguments: TrainedCheckpointTests.names)
    func sameIDs(_ name: String) throws {
        let source = try Checkpoint.open("\(TrainedCheckpointTests.root)/datasets/checkpoints/\(name)")
        let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString).gguf"
        defer { unlink(path) }
        let execution = Execution(workers: WorkerPool(threads: 2), compute: .reference)
        try ModelExport(checkpoint: source, tokenizer: source.tokenizerMetadata(), execution: execution)
            .writeGGUF(to: path, type: .q4_0)
        let (expected, found) = (try source.loadTokenizer(), try Checkpoint.open(path).loadTokenizer())
        #expect(found.specialTokens == expected.specialTokens && found.vocabularySize == expected.vocabularySize)
        let article = try String(
            contentsOfFile: "\(TrainedCheckpointTests.root)/datasets/articles/markov-chains.md", encoding: .utf8)
        for text in Self.texts + [article] {
            #expect(found.encode(text) == expected.encode(text), "\(text.prefix(60).debugDescription)")
        }
        #expect(found.encode("a").first == expected.specialTokens.bos?.id)
    }
}
