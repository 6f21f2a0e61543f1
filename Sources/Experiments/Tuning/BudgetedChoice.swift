/// One option of each of several items, the cheapest together that a budget allows.
package enum BudgetedChoice {
    package struct Option: Sendable, Equatable {
        package let bytes: Int
        package let cost: Double

        package init(bytes: Int, cost: Double) {
            self.bytes = bytes
            self.cost = cost
        }
    }

    /// Exact, by dynamic programming over bytes.
    /// - Returns: the index of each item's option, or nil when even the smallest options are too large. Among equal costs the
    ///   fewest bytes.
    package static func least(_ items: [[Option]], budget: Int) -> [Int]? {
        guard budget >= 0, items.allSatisfy({ !$0.isEmpty }) else { return nil }
        // Least cost of the items so far in exactly so many bytes.
        var costs = [Double](repeating: .infinity, count: budget + 1)
        costs[0] = 0
        var taken: [[Int32]] = []
        for options in items {
            var next = [Double](repeating: .infinity, count: budget + 1)
            var chosen = [Int32](repeating: -1, count: budget + 1)
            for (index, option) in options.enumerated() where option.bytes <= budget {
                for bytes in option.bytes...budget where costs[bytes - option.bytes] + option.cost < next[bytes] {
                    next[bytes] = costs[bytes - option.bytes] + option.cost
                    chosen[bytes] = Int32(index)
                }
            }
            taken.append(chosen)
            costs = next
        }
        guard var bytes = costs.indices.min(by: { costs[$0] < costs[$1] }), costs[bytes].isFinite else { return nil }
        var choice: [Int] = []
        for (options, chosen) in zip(items, taken).reversed() {
            let index = Int(chosen[bytes])
            choice.append(index)
            bytes -= options[index].bytes
        }
        return choice.reversed()
    }
}
