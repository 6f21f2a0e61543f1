import Tensors

extension CacheScheme {
    /// Reads an expression; the grammar is in `docs/schemes.md`.
    /// - Throws: ``SchemeError/malformed(expression:position:problem:)``, or for an expression that is one name
    ///   ``SchemeError/unknown(name:nearest:available:)``.
    public init(expression: String) throws {
        var reader = ExpressionReader(expression)
        self = try reader.scheme()
        try reader.expectEnd()
    }

    /// Reads expressions with spaces or commas between them: `q8_0,k=q8_0,v=q4_0 fp16` holds three. A comma between `k=` and
    /// `v=` belongs to the expression.
    /// - Throws: what ``init(expression:)`` throws.
    public static func list(_ text: String) throws -> [CacheScheme] {
        var reader = ExpressionReader(text)
        var schemes: [CacheScheme] = []
        reader.skipSeparators()
        while !reader.isAtEnd {
            schemes.append(try reader.scheme())
            try reader.expectSeparatorOrEnd()
        }
        return schemes
    }
}

/// Reads scheme expressions from left to right.
private struct ExpressionReader {
    private let text: String
    private let characters: [Character]
    private var index = 0

    private static let words = ["layers", "rest"]
    /// No model has more layers.
    private static let layerLimit = 4096

    init(_ text: String) {
        self.text = text
        characters = Array(text)
    }

    var isAtEnd: Bool { index == characters.count }

    mutating func skipSpaces() {
        while index < characters.count, characters[index] == " " { index += 1 }
    }

    func expectEnd() throws {
        guard isAtEnd else { throw malformed("expected the end, found '\(rest)'") }
    }

    mutating func skipSeparators() {
        while index < characters.count, " ,".contains(characters[index]) { index += 1 }
    }

    mutating func expectSeparatorOrEnd() throws {
        guard isAtEnd || " ,".contains(characters[index]) else { throw malformed("expected a space or the end, found '\(rest)'") }
        skipSeparators()
    }

    mutating func scheme() throws -> CacheScheme {
        guard beginsMap else { return CacheScheme(rest: try pair(isWhole: true)) }
        var parts: [CacheScheme.Part] = []
        var rest: LayerScheme?
        var named: [ClosedRange<Int>] = []
        repeat {
            skipSpaces()
            let start = index
            switch word() {
            case "layers":
                let ranges = try self.ranges(&named)
                try colon()
                parts.append(CacheScheme.Part(ranges: ranges, scheme: try pair(isWhole: false)))
            case "rest":
                guard rest == nil else { throw malformed("'rest' is given twice", at: start) }
                try colon()
                rest = try pair(isWhole: false)
            case let other:
                index = start
                let token = token()
                let found = token.isEmpty ? found : "'\(token)'"
                let nearest = nearestName(to: other, in: Self.words).map { "; the nearest word is '\($0)'" } ?? ""
                throw malformed("expected 'layers' or 'rest', found \(found)\(nearest)", at: start)
            }
        } while takeSemicolon()
        guard let rest else { throw malformed("'rest' is missing; end with '; rest: NAME'") }
        return CacheScheme(parts: parts, rest: rest)
    }

    /// Is what comes a map of layers? It begins with a word and a space, a digit or a colon, or has semicolons.
    private var beginsMap: Bool {
        var copy = self
        let word = copy.word()
        let isLikeWord = Self.words.contains(word) || nearestName(to: word, in: Self.words) != nil
        if isLikeWord, copy.index < characters.count {
            let next = characters[copy.index]
            if next == ":" || next.isNumber { return true }
            copy.skipSpaces()
            if copy.index < characters.count, characters[copy.index] == ":" || characters[copy.index].isNumber { return true }
        }
        copy.index = index
        _ = copy.token()
        while copy.take(",") { _ = copy.token() }
        return copy.takeSemicolon()
    }

    /// `name` or `k=name,v=name`.
    /// - Parameter isWhole: is this the whole expression?
    private mutating func pair(isWhole: Bool) throws -> LayerScheme {
        let first = index
        var text = token()
        guard text.contains("=") else {
            let both = try scheme(named: text, at: first, isWhole: isWhole)
            return LayerScheme(key: both, value: both)
        }
        var found: [Substring: any KVScheme] = [:]
        var start = first
        while true {
            let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, sides[0] == "k" || sides[0] == "v" else {
                throw malformed("expected k=NAME or v=NAME, found '\(text)'", at: start)
            }
            guard found[sides[0]] == nil else { throw malformed("'\(sides[0])' is given twice", at: start) }
            found[sides[0]] = try scheme(named: String(sides[1]), at: start + 2, isWhole: false)
            guard found.count < 2, take(",") else { break }
            start = index
            text = token()
        }
        guard let key = found["k"], let value = found["v"] else {
            // Where the other part would begin, after a comma.
            throw malformed("'\(found["k"] == nil ? "k" : "v")' is missing; write k=NAME,v=NAME", at: index + 1)
        }
        return LayerScheme(key: key, value: value)
    }

    private func scheme(named name: String, at start: Int, isWhole: Bool) throws -> any KVScheme {
        do {
            return try SchemeRegistry.scheme(named: name)
        } catch SchemeError.unknown(let inner, let nearest, let available) {
            if isWhole { throw SchemeError.unknown(name: inner, nearest: nearest, available: available) }
            let offset = name.firstRange(of: inner).map { name.distance(from: name.startIndex, to: $0.lowerBound) } ?? 0
            let hint = nearest.map { "did you mean '\($0)'" } ?? "see kvlab schemes"
            throw malformed("unknown scheme '\(inner)'; \(hint)", at: start + offset)
        } catch SchemeError.malformed(_, let position, let problem) {
            throw malformed(problem, at: start + position - 1)
        }
    }

    /// `0-1,5`
    private mutating func ranges(_ named: inout [ClosedRange<Int>]) throws -> [ClosedRange<Int>] {
        var ranges: [ClosedRange<Int>] = []
        repeat {
            skipSpaces()
            let start = index
            let low = try number()
            let high = take("-") ? try number() : low
            guard low <= high else { throw malformed("the range \(low)-\(high) runs backwards", at: start) }
            if let other = named.first(where: { $0.overlaps(low...high) }) {
                throw malformed("layer \(max(low, other.lowerBound)) is given twice", at: start)
            }
            named.append(low...high)
            ranges.append(low...high)
        } while take(",")
        return ranges
    }

    private mutating func number() throws -> Int {
        let start = index
        while index < characters.count, characters[index].isASCII, characters[index].isNumber { index += 1 }
        guard index > start else { throw malformed("expected the number of a layer, found \(found)") }
        guard let number = Int(String(characters[start..<index])), number < Self.layerLimit else {
            throw malformed("no model has \(Self.layerLimit) layers", at: start)
        }
        return number
    }

    private mutating func colon() throws {
        skipSpaces()
        guard take(":") else { throw malformed("expected ':' and a scheme, found \(found)") }
        skipSpaces()
    }

    /// Letters.
    private mutating func word() -> String {
        let start = index
        while index < characters.count, characters[index].isLetter { index += 1 }
        return String(characters[start..<index])
    }

    /// All up to a comma, a semicolon or a space outside parentheses.
    private mutating func token() -> String {
        let start = index
        var depth = 0
        while index < characters.count, depth > 0 || !",; ".contains(characters[index]) {
            if characters[index] == "(" { depth += 1 }
            if characters[index] == ")" { depth -= 1 }
            index += 1
        }
        return String(characters[start..<index])
    }

    private mutating func take(_ character: Character) -> Bool {
        guard index < characters.count, characters[index] == character else { return false }
        index += 1
        return true
    }

    /// A semicolon, with spaces before it.
    private mutating func takeSemicolon() -> Bool {
        let start = index
        skipSpaces()
        if take(";") { return true }
        index = start
        return false
    }

    private var rest: String { String(characters[index...]) }
    private var found: String { isAtEnd ? "the end" : "'\(rest)'" }

    private func malformed(_ problem: String, at start: Int? = nil) -> SchemeError {
        .malformed(expression: text, position: (start ?? index) + 1, problem: problem)
    }
}
