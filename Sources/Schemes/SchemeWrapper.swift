/// A scheme around another one, written `name(X)`.
public struct SchemeWrapper: Sendable {
    /// What stands before the bracket.
    public let name: String
    /// One sentence for `kvlab schemes`.
    public let summary: String
    let wrap: @Sendable (any KVScheme) -> any KVScheme

    init(name: String, summary: String, _ wrap: @escaping @Sendable (any KVScheme) -> any KVScheme) {
        self.name = name
        self.summary = summary
        self.wrap = wrap
    }
}
