import Tensors
import Yams

/// The settings of one experiment: defaults, overlaid with a profile's, overlaid with `--set`.
///
/// Keys are read one by one; ``finish()`` then refuses every key that nobody asked for. Errors name the file, the line
/// and the key.
public final class Settings {
    public let file: String
    public let profile: String
    private let values: [String: Node]
    /// Keys whose values came from `--set`.
    private let overridden: Set<String>
    private var asked: Set<String> = []

    init(file: String, profile: String, values: [String: Node], overridden: Set<String>) {
        self.file = file
        self.profile = profile
        self.values = values
        self.overridden = overridden
    }

    /// The resolved settings as YAML, keys sorted.
    public var yaml: String {
        let pairs = values.sorted { $0.key < $1.key }.map { (Node($0.key), $0.value) }
        return (try? Yams.serialize(node: Node(pairs), sortKeys: true)) ?? ""
    }

    /// Refuses keys that no reader asked for.
    public func finish() throws {
        if let key = values.keys.sorted().first(where: { !asked.contains($0) }) {
            throw unknown(key, nearest: nearestName(to: key, in: asked.sorted()))
        }
    }

    private func unknown(_ key: String, nearest: String?) -> ExperimentsError {
        let (file, line) = place(of: key)
        return .unknownKey(file: file, line: line, key: key, nearest: nearest, known: asked.sorted())
    }

    /// The file and the line that a value came from; `--set` has no lines.
    private func place(of key: String) -> (file: String, line: Int) {
        overridden.contains(key) ? ("--set", 0) : (file, values[key]?.mark?.line ?? 0)
    }

    public func int(_ key: String, in range: ClosedRange<Int> = 1...Int.max) throws -> Int {
        try int(node(key), key, range)
    }

    public func ints(_ key: String, in range: ClosedRange<Int> = 1...Int.max) throws -> [Int] {
        try list(key).map { try int($0, key, range) }
    }

    public func double(_ key: String, in range: ClosedRange<Double>) throws -> Double {
        try double(node(key), key, range)
    }

    public func doubles(_ key: String, in range: ClosedRange<Double>) throws -> [Double] {
        try list(key).map { try double($0, key, range) }
    }

    public func string(_ key: String, oneOf choices: [String]? = nil) throws -> String {
        try string(node(key), key, choices)
    }

    public func strings(_ key: String, oneOf choices: [String]? = nil) throws -> [String] {
        try list(key).map { try string($0, key, choices) }
    }

    /// Sizes such as `10.2 GiB` or `10200 MB`, with the text as written.
    public func byteCounts(_ key: String) throws -> [(label: String, bytes: Int)] {
        try list(key).map { node in
            let text = try string(node, key, nil)
            guard let bytes = ByteCount.parse(text) else {
                throw bad(node, key, "holds '\(text)': write a size such as 512 MiB, 10.2 GiB or 10200 MB")
            }
            return (text, bytes)
        }
    }

    /// Is the key there?
    public func has(_ key: String) -> Bool {
        asked.insert(key)
        return values[key] != nil
    }

    /// A list of settings of their own; each is to be finished by its reader.
    public func groups(_ key: String) throws -> [Settings] {
        try list(key).map { node in
            guard let mapping = node.mapping else { throw bad(node, key, "must hold keys and values") }
            let pairs = mapping.map { ($0.key.string ?? "?", $0.value) }
            return Settings(
                file: file, profile: profile, values: Dictionary(pairs, uniquingKeysWith: { $1 }), overridden: [])
        }
    }

    /// An error about a key that was read.
    public func bad(_ key: String, _ problem: String) -> ExperimentsError {
        values[key] == nil ? .missingKey(file: file, key: key) : bad(key, at: place(of: key), problem)
    }

    private func node(_ key: String) throws -> Node {
        asked.insert(key)
        if let node = values[key] { return node }
        // A misspelt key is what is wrong, not the missing one.
        if let misspelt = nearestName(to: key, in: values.keys.filter { !asked.contains($0) }.sorted()) {
            throw unknown(misspelt, nearest: key)
        }
        throw ExperimentsError.missingKey(file: file, key: key)
    }

    private func list(_ key: String) throws -> [Node] {
        let node = try node(key)
        guard let sequence = node.sequence else { return [node] }
        guard !sequence.isEmpty else { throw bad(node, key, "must not be empty") }
        return Array(sequence)
    }

    private func double(_ node: Node, _ key: String, _ range: ClosedRange<Double>) throws -> Double {
        guard let value = node.float, range.contains(value) else {
            throw bad(node, key, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func int(_ node: Node, _ key: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let value = node.int, range.contains(value) else {
            let upper = range.upperBound == Int.max ? "" : " and at most \(range.upperBound)"
            throw bad(node, key, "must be a whole number of at least \(range.lowerBound)\(upper)")
        }
        return value
    }

    private func string(_ node: Node, _ key: String, _ choices: [String]?) throws -> String {
        guard let value = node.string else { throw bad(node, key, "must be text") }
        if let choices, !choices.contains(value) {
            let nearest = nearestName(to: value, in: choices).map { " (did you mean '\($0)'?)" } ?? ""
            throw bad(node, key, "cannot be '\(value)'\(nearest); choose one of \(choices.joined(separator: ", "))")
        }
        return value
    }

    private func bad(_ node: Node, _ key: String, _ problem: String) -> ExperimentsError {
        bad(key, at: (place(of: key).file, overridden.contains(key) ? 0 : node.mark?.line ?? 0), problem)
    }

    private func bad(_ key: String, at place: (file: String, line: Int), _ problem: String) -> ExperimentsError {
        .badValue(file: place.file, line: place.line, key: key, problem: problem)
    }
}
