/// A set of characters as a pattern writes it: `[一-龥]`, `[^\s\p{L}]`, `\p{N}`, `\s`.
struct CharacterSetPattern: Sendable, Equatable {
    private var classes: CharacterClass = []
    /// Ranges of scalars, ascending and apart.
    private var ranges: [ClosedRange<UInt32>] = []
    private var isNegated = false
    /// Membership of the 128 ASCII characters, one bit each.
    private var ascii: [UInt64] = [0, 0]

    /// Reads a set where the reader stands; nil where no set in a known form stands.
    init?(_ reader: inout PatternReader) {
        if reader.skip("[") {
            isNegated = reader.skip("^")
            guard readMembers(&reader) else { return nil }
        } else {
            guard case .classes(let classes)? = reader.atom() else { return nil }
            self.classes = classes
        }
        mergeRanges()
        for value in UInt32(0)..<128 where isMember(value) { ascii[Int(value / 64)] |= 1 << UInt64(value % 64) }
    }

    @inline(__always)
    func contains(_ value: UInt32) -> Bool {
        value < 128 ? ascii[Int(value / 64)] >> UInt64(value % 64) & 1 == 1 : isMember(value)
    }

    private func isMember(_ value: UInt32) -> Bool {
        let isListed = !classes.isDisjoint(with: CharacterClass.of(value)) || isInRanges(value)
        return isListed != isNegated
    }

    private func isInRanges(_ value: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= value
    }

    /// Everything up to the closing bracket. Nested sets and `&&` are not known.
    private mutating func readMembers(_ reader: inout PatternReader) -> Bool {
        while !reader.skip("]") {
            if reader.isNext("[") || reader.isNext("&&") { return false }
            switch reader.atom() {
            case nil: return false
            case .classes(let more): classes.formUnion(more)
            case .scalar(let first):
                if reader.isNext("-"), !reader.isNext("-]") {
                    _ = reader.skip("-")
                    guard case .scalar(let last)? = reader.atom(), first <= last else { return false }
                    ranges.append(first...last)
                } else {
                    ranges.append(first...first)
                }
            }
        }
        return !ranges.isEmpty || !classes.isEmpty
    }

    private mutating func mergeRanges() {
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        ranges = merged
    }
}
