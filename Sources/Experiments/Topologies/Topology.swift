/// Who hands what it holds to whom.
enum Topology: String, CaseIterable {
    /// Each to the next.
    case chain
    /// All others to the first.
    case star
    /// Each to each other.
    case debate
    /// Two to one, up to the first.
    case tree

    struct Edge: Hashable {
        let from: Int
        let to: Int
    }

    /// The handoffs among `agents` agents, 0 and up, in rounds: what an agent got in one round it hands on in the next.
    func rounds(agents: Int) -> [[Edge]] {
        switch self {
        case .chain: (1..<agents).map { [Edge(from: $0 - 1, to: $0)] }
        case .star: [(1..<agents).map { Edge(from: $0, to: 0) }]
        case .debate:
            [(0..<agents).flatMap { to in (0..<agents).filter { $0 != to }.map { Edge(from: $0, to: to) } }]
        case .tree:
            // Agents i + i + 1 and i + i + 2 hand to agent i; the deepest first.
            Dictionary(grouping: 1..<agents) { ($0 + 1).bitWidth - ($0 + 1).leadingZeroBitCount }
                .sorted { $0.key > $1.key }
                .map { $0.value.map { Edge(from: $0, to: ($0 - 1) / 2) } }
        }
    }
}
