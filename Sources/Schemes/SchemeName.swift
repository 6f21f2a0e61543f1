import Tensors

/// Reads `wrapper(X)`, where X is a name or `wrapper(X)` again.
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
            if SchemeRegistry.wrappers.contains(where: { $0.name == part }) {
                throw problem(part.endIndex, "'\(part)' goes around a scheme; write \(part)(affine-q4-g64)")
            }
            throw unknown(part, "scheme", SchemeRegistry.all.map(\.name))
        }
        guard part.last == ")" else { throw problem(part.endIndex, "the bracket is not closed; a ')' is missing") }
        let name = part[..<bracket]
        guard let wrapper = SchemeRegistry.wrappers.first(where: { $0.name == name }) else {
            throw unknown(name, "wrapper", SchemeRegistry.wrappers.map(\.name))
        }
        return wrapper.wrap(try scheme(part[part.index(after: bracket)...].dropLast()))
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
