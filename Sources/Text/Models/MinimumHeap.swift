/// A binary heap that gives the lowest number first.
struct MinimumHeap {
    private var items: [UInt64] = []

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }

    mutating func push(_ item: UInt64) {
        items.append(item)
        var at = items.count - 1
        while at > 0, item < items[(at - 1) / 2] {
            items[at] = items[(at - 1) / 2]
            at = (at - 1) / 2
        }
        items[at] = item
    }

    mutating func popMinimum() -> UInt64? {
        guard let minimum = items.first else { return nil }
        let item = items.removeLast()
        guard !items.isEmpty else { return minimum }
        var at = 0
        while true {
            var child = 2 * at + 1
            guard child < items.count else { break }
            if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
            guard items[child] < item else { break }
            items[at] = items[child]
            at = child
        }
        items[at] = item
        return minimum
    }
}
