import Tensors

/// Reads `wrapper(X)`, or `wrapper(WORD,X,Y)`, where X is a name or a wrapper again.
struct SchemeName {
    private let expression: String

    init(_ expression: String) { self.expression = expression }

    /// - Throws: ``SchemeError/malformed(expression:position:problem:)`` with the character, from 1, where it goes wrong.
    func scheme() throws -> any KVScheme {
        try scheme(expression[...])
    }

    private func scheme(_ part: Substring) throws -> any KVScheme {
        guard let bracket = part.firstIndex(of: "(") else {
            if let stray = part.firstIndex(of: ")") { throw problem(stray, "there is no '(' before this ')'") }
            if let scheme = try SchemeRegistry.single(named: part) { return scheme }
            if let wrapper = SchemeRegistry.wrappers.first(where: { $0.name == part }) {
                throw problem(part.endIndex, "'\(part)' goes around a scheme; write \(wrapper.example)")
            }
            throw unknown(part, "scheme", SchemeRegistry.all.map(\.name))
        }
        guard part.last == ")" else { throw problem(part.endIndex, "the bracket is not closed; a ')' is missing") }
        let name = part[..<bracket]
        guard let wrapper = SchemeRegistry.wrappers.first(where: { $0.name == name }) else {
            throw unknown(name, "wrapper", SchemeRegistry.wrappers.map(\.name))
        }
        let arguments = Self.arguments(part[part.index(after: bracket)...].dropLast())
        guard arguments.count == wrapper.words + wrapper.schemes else {
            throw problem(
                part.index(after: bracket),
                "\(wrapper.form) takes \(wrapper.words + wrapper.schemes) in its brackets, and these are \(arguments.count)")
        }
        do {
            return try wrapper.wrap(
                arguments.prefix(wrapper.words).map(String.init), arguments.dropFirst(wrapper.words).map { try scheme($0) })
        } catch let error as SchemeWrapper.Problem {
            throw problem(arguments[error.argument].startIndex, error.text)
        }
    }

    /// The parts between the commas that are in no bracket; at least one.
    private static func arguments(_ text: Substring) -> [Substring] {
        var parts: [Substring] = []
        var (start, depth) = (text.startIndex, 0)
        for index in text.indices {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            guard text[index] == ",", depth == 0 else { continue }
            parts.append(text[start..<index])
            start = text.index(after: index)
        }
        return parts + [text[start...]]
    }

    private func unknown(_ name: Substring, _ kind: String, _ names: [String]) -> SchemeError {
        let nearest = nearestName(to: String(name), in: names).map { "; did you mean '\($0)'" } ?? "; see kvlab schemes"
        return problem(name.startIndex, name.isEmpty ? "a \(kind) is missing" : "unknown \(kind) '\(name)'\(nearest)")
    }

    private func problem(_ index: Substring.Index, _ text: String) -> SchemeError {
        .malformed(
            expression: expression, position: expression.distance(from: expression.startIndex, to: index) + 1,
            problem: text)
    }
}
