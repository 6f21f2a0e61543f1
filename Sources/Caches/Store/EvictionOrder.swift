/// An agent that could be evicted, as an order sees it.
public struct EvictionCandidate: Sendable, Equatable {
    public let agent: String
    /// Bytes that evicting it frees.
    public let bytes: Int
    /// When it was used last, counted in uses of any agent.
    public let lastUse: Int
    /// Its place among the agents that were announced to come next, 0 the very next; nil when it was not announced.
    public let nextUse: Int?
    /// Seconds that bringing it back takes: measured where it was brought back before, else estimated from its bytes.
    public let reloadSeconds: Double

    public init(agent: String, bytes: Int, lastUse: Int, nextUse: Int?, reloadSeconds: Double) {
        self.agent = agent
        self.bytes = bytes
        self.lastUse = lastUse
        self.nextUse = nextUse
        self.reloadSeconds = reloadSeconds
    }
}

/// Who has to go when the budget is full. A new order is one type that conforms to this and one line in ``EvictionOrders``.
public protocol EvictionOrder: Sendable {
    static var name: String { get }
    init()
    /// The candidate with the lowest value goes first; of equals the one that was used longest ago.
    func value(of candidate: EvictionCandidate) -> Double
}

/// Every order there is.
public enum EvictionOrders {
    public static let all: [any EvictionOrder.Type] = [LeastRecentlyUsed.self, CostAware.self, NextUse.self]
}

/// The agent that was used longest ago goes first.
public struct LeastRecentlyUsed: EvictionOrder {
    public static let name = "lru"
    public init() {}
    public func value(of candidate: EvictionCandidate) -> Double { Double(candidate.lastUse) }
}

/// The agent that frees the most bytes per second of bringing it back goes first.
public struct CostAware: EvictionOrder {
    public static let name = "cost"
    public init() {}
    public func value(of candidate: EvictionCandidate) -> Double {
        candidate.reloadSeconds / Double(max(1, candidate.bytes))
    }
}

/// The agent whose announced turn is farthest away goes first, those that were not announced before all others.
public struct NextUse: EvictionOrder {
    public static let name = "next-use"
    public init() {}
    public func value(of candidate: EvictionCandidate) -> Double {
        -(candidate.nextUse.map(Double.init) ?? .infinity)
    }
}
