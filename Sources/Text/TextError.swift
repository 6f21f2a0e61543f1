/// What can go wrong with a tokenizer file or a chat, each as one sentence that says what, where and what to do.
public enum TextError: Error, Equatable, CustomStringConvertible {
    /// A file could not be read at all.
    case unreadable(file: String, reason: String)
    /// A file is not the JSON that it should be: `offset` is the byte at which the first problem starts.
    case malformedJSON(file: String, offset: Int, problem: String)
    /// A value in a file is of the wrong type, out of range or contradicts another one.
    case badValue(file: String, key: String, offset: Int, problem: String)
    /// A part that this module does not implement; the supported ones are listed.
    case unsupported(file: String, what: String, supported: [String])
    /// A part of a model's tokenizer is missing or contradicts another part, with no byte to point at.
    case inconsistent(file: String, problem: String)
    /// A list of messages that a chat template cannot render; `position` counts from 0.
    case badChat(template: String, position: Int, problem: String)
    /// A setting of a task's documents out of range.
    case badTaskSetting(name: String, value: ClosedRange<Int>, allowed: ClosedRange<Int>)

    public var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "Cannot read '\(file)': \(reason)."
        case .malformedJSON(let file, let offset, let problem):
            "'\(file)' is not valid JSON: \(problem) at byte \(offset)."
        case .badValue(let file, let key, let offset, let problem):
            "'\(file)', key '\(key)' at byte \(offset): \(problem)."
        case .unsupported(let file, let what, let supported):
            "'\(file)': \(what) is not supported; supported: \(supported.joined(separator: ", "))."
        case .inconsistent(let file, let problem):
            "'\(file)': \(problem)."
        case .badChat(let template, let position, let problem):
            "Chat template '\(template)' cannot render message \(position): \(problem)."
        case .badTaskSetting(let name, let value, let allowed):
            "The task setting '\(name)' must lie in \(allowed.lowerBound)...\(allowed.upperBound), and is "
                + "\(value.lowerBound)...\(value.upperBound)."
        }
    }
}
