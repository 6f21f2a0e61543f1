import Foundation
import Tensors
import Yams

/// An `experiments/*.yaml`: which experiment, what it is called, its settings and what each profile changes.
///
/// ```yaml
/// experiment: ttft
/// title: Time to first token
/// settings: {passes: 3, ...}
/// profiles:
///   quick: {contexts: [1024, 2048]}
/// ```
public struct ExperimentFile {
    public let path: String
    public let experiment: String
    public let title: String
    private let settings: Node.Mapping
    private let profiles: Node.Mapping

    private static let keys = ["experiment", "title", "settings", "profiles"]

    /// - Throws: ``ExperimentsError`` naming the file, the line and the key.
    public init(path: String) throws {
        self.path = path
        guard let contents = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ExperimentsError.cannotRead(
                file: path,
                reason: FileManager.default.fileExists(atPath: path) ? "it is not UTF-8 text" : "there is no such file")
        }
        let root: Node.Mapping
        do {
            guard let mapping = try Yams.compose(yaml: contents)?.mapping else {
                throw ExperimentsError.badYAML(file: path, line: 1, problem: "expected keys and values")
            }
            root = mapping
        } catch let error as YamlError {
            throw ExperimentsError.badYAML(file: path, line: Self.line(of: error), problem: Self.problem(of: error))
        }
        for (key, _) in root where !Self.keys.contains(key.string ?? "") {
            let name = key.string ?? "?"
            throw ExperimentsError.unknownKey(
                file: path, line: key.mark?.line ?? 0, key: name, nearest: nearestName(to: name, in: Self.keys),
                known: Self.keys)
        }
        func required(_ key: String) throws -> String {
            guard let node = root[key] else { throw ExperimentsError.missingKey(file: path, key: key) }
            guard let value = node.string else {
                throw ExperimentsError.badValue(file: path, line: node.mark?.line ?? 0, key: key, problem: "must be text")
            }
            return value
        }
        func mapping(_ key: String) throws -> Node.Mapping {
            guard let node = root[key] else { return Node.Mapping([]) }
            guard let value = node.mapping else {
                throw ExperimentsError.badValue(
                    file: path, line: node.mark?.line ?? 0, key: key, problem: "must be keys and values")
            }
            return value
        }
        experiment = try required("experiment")
        title = try required("title")
        settings = try mapping("settings")
        profiles = try mapping("profiles")
    }

    /// The settings under a profile.
    /// - Parameter overrides: texts `key=value`, the value in YAML; they win. A key that the experiment does not know
    ///   is refused later, by ``Settings/finish()``.
    /// - Throws: ``ExperimentsError/unknown(kind:name:nearest:available:)`` for a profile that the file has not.
    public func settings(profile: String, overrides: [String] = []) throws -> Settings {
        let names = Array(profiles.keys.compactMap(\.string))
        guard let chosen = profiles[profile] else {
            throw ExperimentsError.unknown(
                kind: "profile", name: profile, nearest: nearestName(to: profile, in: names), available: names)
        }
        guard let chosen = chosen.mapping else {
            throw ExperimentsError.badValue(
                file: path, line: chosen.mark?.line ?? 0, key: profile, problem: "must be keys and values")
        }
        var values: [String: Node] = [:]
        for layer in [settings, chosen] {
            for (key, value) in layer { values[key.string ?? "?"] = value }
        }
        var overridden: Set<String> = []
        for text in overrides {
            let pair = text.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, let value = try? Yams.compose(yaml: String(pair[1])) else {
                throw ExperimentsError.badOverride(text: text)
            }
            values[String(pair[0])] = value
            overridden.insert(String(pair[0]))
        }
        return Settings(file: path, profile: profile, values: values, overridden: overridden)
    }

    private static func line(of error: YamlError) -> Int {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        default: 1
        }
    }

    private static func problem(of error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
        default: "it is not YAML"
        }
    }
}
