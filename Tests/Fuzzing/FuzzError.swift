/// Why a run of damaged files failed.
public enum FuzzError: Error, CustomStringConvertible {
    case otherError(file: String, error: String)
    /// All files were accepted, or none: the damages are not what they should be.
    case sameForAll(accepted: Int, runs: Int)
    case tooMuchMemory(bytes: Int, allowed: Int)
    case system(call: String, code: Int32)

    public var description: String {
        switch self {
        case .otherError(let file, let error): "The damaged file \(file) gave an error of another kind: \(error)"
        case .sameForAll(let accepted, let runs): "\(accepted) of \(runs) damaged files were read."
        case .tooMuchMemory(let bytes, let allowed): "Memory grew by \(bytes) bytes; \(allowed) are allowed."
        case .system(let call, let code): "\(call) failed with error \(code)."
        }
    }
}
