/// What can be wrong with the choice of a scheme, each as one sentence.
public enum SchemeError: Error, Equatable, CustomStringConvertible {
    case unknown(name: String, nearest: String?, available: [String])
    case malformed(expression: String, position: Int, problem: String)
    case widthNotGrouped(scheme: String, width: Int, groupSize: Int)
    case rowTooWide(scheme: String, width: Int, limit: Int)
    case python(file: String, problem: String)
    case calibration(file: String, problem: String)
    case uncalibrated(scheme: String)

    public var description: String {
        switch self {
        case .unknown(let name, let nearest, let available):
            "Unknown scheme '\(name)'.\(nearest.map { " Did you mean '\($0)'?" } ?? "")"
                + " Available: \(available.joined(separator: ", "))."
        case .malformed(let expression, let position, let problem):
            "Scheme expression '\(expression)', character \(position): \(problem)."
        case .widthNotGrouped(let scheme, let width, let groupSize):
            "Scheme '\(scheme)' needs rows of a multiple of \(groupSize) elements, and these have \(width); fp16 takes any."
        case .rowTooWide(let scheme, let width, let limit):
            "Scheme '\(scheme)' takes rows of at most \(limit) elements, and these have \(width)."
        case .calibration(let file, let problem): "The calibration '\(file)' cannot be used: \(problem)."
        case .uncalibrated(let scheme):
            "Scheme '\(scheme)' needs a calibration, and this model has none; 'kvlab calibrate' makes one for a checkpoint."
        case .python(let file, let problem):
            "The Python scheme '\(file)' cannot be used: \(problem)\(problem.hasSuffix(".") ? "" : ".")"
        }
    }
}
