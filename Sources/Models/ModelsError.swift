/// What can be wrong with a model's configuration, weights or input, each as one sentence.
public enum ModelsError: Error, Equatable, CustomStringConvertible {
    case cannotRead(file: String, reason: String)
    case badConfiguration(file: String, key: String, problem: String)
    case unsupported(file: String, what: String, found: String, supported: [String])
    case contextTooLong(tokens: Int, limit: Int, model: String)
    case tokenOutOfRange(token: Int32, position: Int, vocabulary: Int)
    case emptyPrompt
    case notFinite(part: ModelPart, position: Int, agent: String, model: String)
    case noInstructionSet(name: String, available: [String])
    case badWeight(file: String, tensor: String, element: Int, offset: Int, value: Float)
    case unusedTensors(file: String, tensors: [String])
    case cannotExport(file: String, reason: String)

    public var description: String {
        switch self {
        case .cannotRead(let file, let reason): "Cannot read \(file): \(reason)."
        case .badConfiguration(let file, let key, let problem): "\(file): '\(key)' \(problem)."
        case .unsupported(let file, let what, let found, let supported):
            "\(file): \(what) '\(found)' is not supported; supported: \(supported.joined(separator: ", "))."
        case .contextTooLong(let tokens, let limit, let model):
            "A context of \(tokens) tokens is longer than the \(limit) that \(model) takes."
        case .tokenOutOfRange(let token, let position, let vocabulary):
            "Token \(token) at position \(position) is outside the vocabulary of \(vocabulary)."
        case .notFinite(let part, let position, let agent, let model):
            "\(part) of \(model) gives NaN or infinity at position \(position) of \(agent); its weights or this cache"
                + " are damaged."
        case .emptyPrompt: "The prompt has no tokens."
        case .noInstructionSet(let name, let available):
            "This machine has no kernels for instruction set '\(name)'; it has: \(available.joined(separator: ", "))."
        case .badWeight(let file, let tensor, let element, let offset, let value):
            "\(file): element \(element) of tensor '\(tensor)', at byte \(offset), is \(value), which no weight can be."
        case .unusedTensors(let file, let tensors):
            "\(file) has tensors that the model does not use, \(tensors.count) of them, the first '\(tensors[0])': "
                + "it is a model of another kind."
        case .cannotExport(let file, let reason): "Cannot export \(file): \(reason)."
        }
    }
}

/// A part of a decoder, counted from 0.
public enum ModelPart: Sendable, Equatable, CustomStringConvertible {
    case embedding
    case layer(Int)
    case head

    public var description: String {
        switch self {
        case .embedding: "The embedding"
        case .layer(let index): "Layer \(index)"
        case .head: "The head"
        }
    }
}
