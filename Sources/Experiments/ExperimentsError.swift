import Foundation

/// What can be wrong with an experiment's file or run, each as one sentence.
public enum ExperimentsError: Error, Equatable, CustomStringConvertible {
    case cannotRead(file: String, reason: String)
    case badYAML(file: String, line: Int, problem: String)
    case unknownKey(file: String, line: Int, key: String, nearest: String?, known: [String])
    case badValue(file: String, line: Int, key: String, problem: String)
    case missingKey(file: String, key: String)
    case unknown(kind: String, name: String, nearest: String?, available: [String])
    case badOverride(text: String)
    case noDiskSpace(folder: String, needed: Int, free: Int)
    case cannotWrite(folder: String, reason: String)
    case notFound(what: String, searched: String)
    case turnFailed(agent: String, reason: String)
    /// A logit is NaN or infinite.
    case notFinite(scheme: String, position: Int)
    /// A text has fewer tokens than one window.
    case shortText(file: String, tokens: Int, window: Int)
    /// The process that sends cards to this one.
    case senderFailed(program: String, reason: String)
    /// A tokenizer has ids that the model has no row for.
    case vocabularyMismatch(weights: String, tokenizer: Int, model: Int)

    public var description: String {
        switch self {
        case .cannotRead(let file, let reason): "Cannot read \(file): \(reason)."
        case .badYAML(let file, let line, let problem): "\(Self.place(file, line)): \(problem)."
        case .unknownKey(let file, let line, let key, let nearest, let known):
            "\(Self.place(file, line)): unknown key '\(key)'.\(nearest.map { " Did you mean '\($0)'?" } ?? "")"
                + " Known: \(known.joined(separator: ", "))."
        case .badValue(let file, let line, let key, let problem): "\(Self.place(file, line)): '\(key)' \(problem)."
        case .missingKey(let file, let key): "\(file): key '\(key)' is missing."
        case .unknown(let kind, let name, let nearest, let available):
            "Unknown \(kind) '\(name)'.\(nearest.map { " Did you mean '\($0)'?" } ?? "")"
                + " Available: \(available.joined(separator: ", "))."
        case .badOverride(let text): "Cannot use '--set \(text)': write --set key=value."
        case .noDiskSpace(let folder, let needed, let free):
            "\(folder) has \(free) bytes free and the run needs about \(needed); free some space or choose another --out."
        case .cannotWrite(let folder, let reason): "Cannot write to \(folder): \(reason)."
        case .turnFailed(let agent, let reason): "The turn of \(agent) failed, so the cell has no result. \(reason)"
        case .notFound(let what, let searched): "Cannot find \(what); looked in \(searched)."
        case .notFinite(let scheme, let position):
            "With the cache scheme \(scheme) a logit at position \(position) of a window is not finite; "
                + "check the weights, or leave the scheme out."
        case .vocabularyMismatch(let weights, let tokenizer, let model):
            "The tokenizer of \(weights) has \(tokenizer) ids and its model \(model); they do not belong together."
        case .senderFailed(let program, let reason):
            "\(program), which sends cards to this process, failed: \(reason.trimmingCharacters(in: .whitespacesAndNewlines))"
        case .shortText(let file, let tokens, let window):
            "\(file) has \(tokens) tokens, fewer than one window of \(window); give a longer text or a smaller 'window'."
        }
    }

    /// A line of 0 means that the place has no lines.
    private static func place(_ file: String, _ line: Int) -> String {
        line == 0 ? file : "\(file), line \(line)"
    }
}
