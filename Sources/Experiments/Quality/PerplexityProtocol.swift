/// How perplexity is measured: how a text becomes windows, each computed from an empty cache, and where start tokens stand.
public struct PerplexityProtocol: Sendable, Equatable {
    /// Where the start token of the model stands, where it has one.
    public enum StartToken: String, Sendable {
        /// Where the text begins, and nowhere else.
        case text
        /// Every window begins with it, in the place of the token that stands there, which does not count.
        case window
    }

    public let name: String
    public let windows: TextWindows
    /// The most windows of a stretch of text: of all documents where they are joined, else of each.
    public let maximumWindows: Int
    /// New tokens of one step: a window is computed in steps of so many, on the cache that the steps before have left.
    public let stepTokens: Int
    /// Are the documents of a text joined to one stretch? Otherwise no window reaches from one into the next, and a document
    /// that is shorter than a window is a window of its own.
    public let joinsDocuments: Bool
    public let startToken: StartToken

    /// Windows of 512 tokens every 256 over the joined text, a forward pass each; 30 windows score 7,935 tokens.
    /// - Source: arXiv 2603.04428, section 4.2 and appendix E.
    public static func paper(windows: Int) -> PerplexityProtocol {
        PerplexityProtocol(
            name: "paper", windows: TextWindows(window: 512, stride: 256), maximumWindows: windows, stepTokens: 512,
            joinsDocuments: true, startToken: .text)
    }

    /// Windows as long as the model was trained on, beyond its sliding window, over each document from its beginning; the
    /// cache is carried from step to step, as in a conversation.
    public static func corrected(_ windows: TextWindows, windowsPerDocument: Int) -> PerplexityProtocol {
        PerplexityProtocol(
            name: "corrected", windows: windows, maximumWindows: windowsPerDocument, stepTokens: QualityPass.chunk,
            joinsDocuments: false, startToken: .window)
    }

    /// A window's tokens and the positions in it that count.
    public struct Window: Sendable, Equatable {
        public let tokens: [Int32]
        public let counted: Range<Int>

        public init(tokens: [Int32], counted: Range<Int>) {
            self.tokens = tokens
            self.counted = counted
        }
    }

    /// The windows of a text.
    /// - Parameter start: the model's start token, where it has one.
    public func cut(_ documents: [[Int32]], start: Int32?) -> [Window] {
        let prefix = start.map { [$0] } ?? []
        let stretches = (joinsDocuments ? [documents.flatMap(\.self)] : documents).map { prefix + $0 }
        return stretches.flatMap { tokens -> [Window] in
            if !joinsDocuments, (2..<windows.window).contains(tokens.count) {
                return [Window(tokens: tokens, counted: 1..<tokens.count)]
            }
            return windows.ranges(of: tokens.count).prefix(maximumWindows).enumerated().map { index, range in
                var part = Array(tokens[range])
                if startToken == .window, let start { part[0] = start }
                return Window(tokens: part, counted: windows.counted(in: index))
            }
        }
    }

    /// The tokens of the longest stretch that ``cut(_:start:)`` cuts windows from.
    public func longestStretch(_ documents: [[Int32]], start: Int32?) -> Int {
        let counts = documents.map(\.count)
        return (joinsDocuments ? counts.reduce(0, +) : counts.max() ?? 0) + (start == nil ? 0 : 1)
    }
}
