/// What becomes of the matches of a pattern when a text is cut at them.
enum SplitBehavior: String, Sendable, CaseIterable {
    /// Each match is a piece of its own.
    case isolated = "Isolated"
    /// Matches are dropped.
    case removed = "Removed"
    /// A match ends the piece before it.
    case mergedWithPrevious = "MergedWithPrevious"
    /// A match begins the piece after it.
    case mergedWithNext = "MergedWithNext"
    /// Neighbouring matches are one piece.
    case contiguous = "Contiguous"

    /// Joins and drops stretches, which cover a piece of text in order without gaps.
    ///
    /// Source: `NormalizedString::split` of Hugging Face tokenizers, including that a match directly after another one
    /// is not joined to what precedes both.
    func pieces(_ stretches: [(range: Range<Int>, isMatch: Bool)]) -> [Range<Int>] {
        switch self {
        case .isolated: stretches.map(\.range)
        case .removed: stretches.lazy.filter { !$0.isMatch }.map(\.range)
        case .contiguous: joined(stretches) { $0 == $1 }
        case .mergedWithPrevious: joined(stretches) { isMatch, previousIsMatch in isMatch && !previousIsMatch }
        case .mergedWithNext:
            joined(stretches.reversed()) { isMatch, previousIsMatch in isMatch && !previousIsMatch }.reversed()
        }
    }

    /// Joins each stretch to the one before it in the list where `joins` says so; before the first stands no match.
    private func joined(
        _ stretches: [(range: Range<Int>, isMatch: Bool)], _ joins: (_ isMatch: Bool, _ previousIsMatch: Bool) -> Bool
    ) -> [Range<Int>] {
        var out: [Range<Int>] = []
        var previousIsMatch = false
        for (range, isMatch) in stretches {
            if joins(isMatch, previousIsMatch), let last = out.last {
                out[out.count - 1] =
                    min(last.lowerBound, range.lowerBound)..<max(last.upperBound, range.upperBound)
            } else {
                out.append(range)
            }
            previousIsMatch = isMatch
        }
        return out
    }
}
