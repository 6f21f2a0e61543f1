/// The schemes of a cache: one for keys, one for values.
///
/// Written as one name for both (`affine-q4-g64`) or as `k=NAME,v=NAME`.
public struct CacheScheme: Sendable, CustomStringConvertible {
    public let key: any KVScheme
    public let value: any KVScheme

    public init(key: any KVScheme, value: any KVScheme) {
        self.key = key
        self.value = value
    }

    public init(_ both: any KVScheme) { self.init(key: both, value: both) }

    /// - Throws: ``SchemeError/malformed(expression:position:problem:)`` or
    ///   ``SchemeError/unknown(name:nearest:available:)``.
    public init(expression: String) throws {
        guard expression.contains("=") else {
            self.init(try SchemeRegistry.scheme(named: expression))
            return
        }
        var parts: [Substring: any KVScheme] = [:]
        var position = 1
        for part in expression.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, pair[0] == "k" || pair[0] == "v" else {
                throw SchemeError.malformed(
                    expression: expression, position: position, problem: "expected k=NAME or v=NAME, found '\(part)'")
            }
            guard parts[pair[0]] == nil else {
                throw SchemeError.malformed(
                    expression: expression, position: position, problem: "'\(pair[0])' is given twice")
            }
            parts[pair[0]] = try SchemeRegistry.scheme(named: String(pair[1]))
            position += part.count + 1
        }
        guard let key = parts["k"], let value = parts["v"] else {
            throw SchemeError.malformed(
                expression: expression, position: position,
                problem: "'\(parts["k"] == nil ? "k" : "v")' is missing; write k=NAME,v=NAME")
        }
        self.init(key: key, value: value)
    }

    /// The canonical expression.
    public var description: String {
        key.name == value.name ? key.name : "k=\(key.name),v=\(value.name)"
    }
}
