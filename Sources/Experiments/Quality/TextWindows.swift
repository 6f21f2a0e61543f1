/// How a long text is cut into windows, each computed from an empty cache, and which of its tokens count.
///
/// Window k holds tokens kS ..< kS + W. Of the first one every token but the first counts, of each later one the last S:
/// so every counted token has at least W − S tokens before it, and none counts twice. A rest that fills no window is left.
/// ```
/// let windows = TextWindows(window: 512, stride: 256)   // arXiv 2603.04428, section 4.2
/// windows.ranges(of: 1024)                              // 0..<512, 256..<768, 512..<1024
/// ```
public struct TextWindows: Sendable, Equatable {
    public let window: Int
    public let stride: Int

    /// - Precondition: 1 ≤ stride ≤ window, window ≥ 2.
    public init(window: Int, stride: Int) {
        precondition(window >= 2 && (1...window).contains(stride), "a stride within the window")
        self.window = window
        self.stride = stride
    }

    /// The windows of a text; none when it is shorter than one.
    public func ranges(of tokens: Int) -> [Range<Int>] {
        guard tokens >= window else { return [] }
        return Swift.stride(from: 0, through: tokens - window, by: stride).map { $0..<$0 + window }
    }

    /// Positions within a window whose tokens count: each is predicted from the position before it.
    public func counted(in index: Int) -> Range<Int> { (index == 0 ? 1 : max(1, window - stride))..<window }
}
