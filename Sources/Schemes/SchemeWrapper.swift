/// A scheme around others, written `name(X)`, or with words before them: `name(WORD,X,Y)`.
public struct SchemeWrapper: Sendable {
    /// What stands before the bracket.
    public let name: String
    /// As it is written.
    public let form: String
    /// An expression that uses it.
    public let example: String
    /// One sentence for `kvlab schemes`.
    public let summary: String
    /// Arguments that are words, and those after them that are schemes.
    let words: Int
    public let schemes: Int
    let wrap: @Sendable (_ words: [String], _ schemes: [any KVScheme]) throws -> any KVScheme

    /// What is wrong with an argument.
    struct Problem: Error {
        /// Its index among all arguments.
        let argument: Int
        let text: String
    }

    /// Around one scheme.
    /// - Parameter wrap: throws ``Problem``.
    init(name: String, summary: String, _ wrap: @escaping @Sendable (any KVScheme) throws -> any KVScheme) {
        self.init(
            name: name, form: "\(name)(X)", example: "\(name)(affine-q4-g64)", summary: summary, words: 0, schemes: 1
        ) { _, schemes in try wrap(schemes[0]) }
    }

    /// - Parameter wrap: throws ``Problem``.
    init(
        name: String, form: String, example: String, summary: String, words: Int, schemes: Int,
        _ wrap: @escaping @Sendable (_ words: [String], _ schemes: [any KVScheme]) throws -> any KVScheme
    ) {
        self.name = name
        self.form = form
        self.example = example
        self.summary = summary
        self.words = words
        self.schemes = schemes
        self.wrap = wrap
    }
}
