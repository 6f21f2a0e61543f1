/// The part of an agent's context that goes on a card.
public enum CardPart: Sendable, Equatable, CustomStringConvertible {
    case all
    /// Tokens by their place in the context, from 0.
    case span(Range<Int>)
    case last(Int)

    public var description: String {
        switch self {
        case .all: "all tokens"
        case .span(let span): "tokens \(span.lowerBound) to \(span.upperBound)"
        case .last(let count): "the last \(count) tokens"
        }
    }

    /// The tokens meant, of a context of `count` tokens; nil when it does not have them.
    func tokens(of count: Int) -> Range<Int>? {
        switch self {
        case .all: count > 0 ? 0..<count : nil
        case .span(let span): !span.isEmpty && span.lowerBound >= 0 && span.upperBound <= count ? span : nil
        case .last(let last): (1...max(1, count)).contains(last) && count > 0 ? (count - last)..<count : nil
        }
    }
}

/// What the keys of a card are turned by.
public enum CardKeys: String, Sendable, CaseIterable {
    /// The rotary positions where they were computed, as a cache holds them.
    case rotated
    /// Nothing: their own rotation was taken back before they were encoded.
    case unrotated
}
