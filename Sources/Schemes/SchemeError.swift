/// What can be wrong with the choice of a scheme, each as one sentence.
public enum SchemeError: Error, Equatable, CustomStringConvertible {
    case unknown(name: String, nearest: String?, available: [String])
    case malformed(expression: String, position: Int, problem: String)
    case widthNotGrouped(scheme: String, width: Int, groupSize: Int)
    case python(file: String, problem: String)

    public var description: String {
        switch self {
        case .unknown(let name, let nearest, let available):
            "Unknown scheme '\(name)'.\(nearest.map { " Did you mean '\($0)'?" } ?? "")"
                + " Available: \(available.joined(separator: ", "))."
        case .malformed(let expression, let position, let problem):
            "Scheme expression '\(expression)', character \(position): \(problem)."
        case .widthNotGrouped(let scheme, let width, let groupSize):
            "Scheme '\(scheme)' needs rows of a multiple of \(groupSize) elements, and these have \(width); fp16 takes any."
        case .python(let file, let problem):
            "The Python scheme '\(file)' cannot be used: \(problem)\(problem.hasSuffix(".") ? "" : ".")"
        }
    }
}
