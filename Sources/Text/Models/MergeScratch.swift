/// The symbols of one word while they are being joined; kept from word to word, so that encoding allocates nothing.
struct MergeScratch {
    private var symbols: [Int32] = []
    /// For each symbol what ``MergeTable/lookup(_:_:)`` gives for it and the one after it.
    private var pairs: [UInt64] = []
    private var heap = MinimumHeap()
    private var previous: [Int32] = []
    private var following: [Int32] = []

    /// Words longer than this are joined with a priority queue instead of a scan for the best pair.
    private static let longWord = 40

    var isEmpty: Bool { symbols.isEmpty }

    mutating func append(_ symbol: Int32) { symbols.append(symbol) }

    /// Joins the pair of lowest rank, the leftmost of equals, until none joins; appends what is left to `ids` and
    /// empties the word. O(n log n) in its symbols.
    mutating func merge(with merges: MergeTable, into ids: inout [Int32]) {
        if symbols.count > Self.longWord {
            mergeLong(merges)
        } else if symbols.count > 1 {
            mergeShort(merges)
        }
        ids.append(contentsOf: symbols)
        symbols.removeAll(keepingCapacity: true)
    }

    private mutating func mergeShort(_ merges: MergeTable) {
        pairs.removeAll(keepingCapacity: true)
        for k in 0..<symbols.count - 1 { pairs.append(merges.lookup(symbols[k], symbols[k + 1])) }
        while true {
            var best = MergeTable.none
            var at = 0
            for k in pairs.indices where pairs[k] >> 32 < best >> 32 {
                best = pairs[k]
                at = k
            }
            guard best != MergeTable.none else { return }
            symbols[at] = Int32(truncatingIfNeeded: best)
            symbols.remove(at: at + 1)
            pairs.remove(at: at)
            if at > 0 { pairs[at - 1] = merges.lookup(symbols[at - 1], symbols[at]) }
            if at < pairs.count { pairs[at] = merges.lookup(symbols[at], symbols[at + 1]) }
        }
    }

    /// A heap of (rank, position) with entries that may be out of date: one is followed only if the pair that now
    /// stands at the position still has the rank.
    private mutating func mergeLong(_ merges: MergeTable) {
        let count = symbols.count
        heap.removeAll()
        previous = (0..<count).map { Int32($0 - 1) }
        following = (0..<count).map { $0 + 1 < count ? Int32($0 + 1) : -1 }
        for k in 0..<count - 1 { push(k, merges) }

        while let top = heap.popMinimum() {
            let at = Int(top & 0xFFFF_FFFF)
            guard symbols[at] >= 0, following[at] >= 0 else { continue }
            let right = Int(following[at])
            let pair = merges.lookup(symbols[at], symbols[right])
            guard pair != MergeTable.none, pair >> 32 == top >> 32 else { continue }

            symbols[at] = Int32(truncatingIfNeeded: pair)
            symbols[right] = -1
            following[at] = following[right]
            if following[at] >= 0 {
                previous[Int(following[at])] = Int32(at)
                push(at, merges)
            }
            if previous[at] >= 0 { push(Int(previous[at]), merges) }
        }
        symbols.removeAll { $0 < 0 }
    }

    private mutating func push(_ at: Int, _ merges: MergeTable) {
        let pair = merges.lookup(symbols[at], symbols[Int(following[at])])
        if pair != MergeTable.none { heap.push(pair & 0xFFFF_FFFF_0000_0000 | UInt64(at)) }
    }
}
