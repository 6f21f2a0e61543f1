/// What can go wrong with tensor files and memory, each as one sentence.
public enum TensorsError: Error, Equatable, CustomStringConvertible {
    case cannotOpen(file: String, reason: String)
    case cannotWrite(file: String, reason: String)
    case malformed(file: String, offset: Int, problem: String)
    case missingTensor(file: String, tensor: String)
    case wrongTensor(file: String, tensor: String, expected: String, found: String)
    case outOfMemory(bytes: Int)
    case unsupported(file: String, what: String)
    case wrongMetadata(file: String, key: String, expected: String, found: String)

    public var description: String {
        switch self {
        case .cannotOpen(let file, let reason): "Cannot open \(file): \(reason)."
        case .cannotWrite(let file, let reason): "Cannot write \(file): \(reason)."
        case .malformed(let file, let offset, let problem):
            "\(file) is damaged at byte \(offset): \(problem)."
        case .missingTensor(let file, let tensor): "\(file) has no tensor '\(tensor)'."
        case .wrongTensor(let file, let tensor, let expected, let found):
            "\(file): tensor '\(tensor)' is \(found), expected \(expected)."
        case .outOfMemory(let bytes): "The system gave no \(bytes) bytes of memory."
        case .unsupported(let file, let what): "\(file) is not supported: \(what)."
        case .wrongMetadata(let file, let key, let expected, let found):
            "\(file): key '\(key)' is \(found), expected \(expected)."
        }
    }

    /// The system's words for the current `errno`.
    static func system() -> String { String(cString: strerror(errno)) }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif
