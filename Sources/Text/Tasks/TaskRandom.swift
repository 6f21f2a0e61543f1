/// The random numbers of the tasks: SplitMix64 with draws of our own, so that a seed gives the same tasks with every
/// version of the standard library.
/// - Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
struct TaskRandom {
    private var state: UInt64

    /// A stream of its own for each seed, word and index.
    init(seed: UInt64, stream: String, index: Int) {
        state = StableHash.of("\(seed)/\(stream)/\(index)")
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A whole number in 0..<bound, bound ≥ 1.
    mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    mutating func draw(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

    /// `count` different elements in random order, count ≤ list.count.
    mutating func sample<Element>(_ count: Int, of list: [Element]) -> [Element] {
        var rest = list
        for k in 0..<count { rest.swapAt(k, k + below(rest.count - k)) }
        return Array(rest[..<count])
    }
}
