import Results

/// How long a run still takes: from what the same cells took in an earlier run, and from what cells take in this one.
public struct TimeEstimate {
    /// What an earlier run says before the first cell.
    public struct Before: Sendable, Equatable {
        /// What the cells that it has took there.
        public let seconds: Double
        public let cells: Int
        /// Cells that it does not have.
        public let unknownCells: Int
        /// "AMD EPYC, 2 cores"; empty where it was not recorded.
        public let machine: String
    }

    private typealias Sum = (now: Double, expected: Double)

    /// Seconds of a cell, the mean over its passes, by its name without the pass.
    private let earlier: [String: Double]
    private let machine: String
    /// Seconds beside those of the earlier run, of all cells that it has.
    private var pace: Sum = (0, 0)
    /// Seconds beside ``Cell/cost``, whose unit is an experiment's own.
    private var rates: [Substring: Sum] = [:]

    public init(earlierRun: ResultsFile?) {
        var sums: [String: (seconds: Double, count: Int)] = [:]
        for cell in earlierRun?.finishedCells ?? [] where cell.seconds.isFinite {
            let sum = sums[Self.key(cell.name)] ?? (0, 0)
            sums[Self.key(cell.name)] = (sum.seconds + cell.seconds, sum.count + 1)
        }
        earlier = sums.mapValues { $0.seconds / Double($0.count) }
        func fact(_ name: String) -> Value? { earlierRun?.machine.first { $0.name == name }?.value }
        if case .string(let cpu)? = fact("cpu_model"), case .int(let cores)? = fact("cores_usable") {
            machine = "\(cpu), \(cores) cores"
        } else {
            machine = ""
        }
    }

    /// What the earlier run says of `cells`; nil when it has none of them.
    public func before(_ cells: [Cell]) -> Before? {
        let known = cells.compactMap { earlier[Self.key($0.name)] }
        guard !known.isEmpty else { return nil }
        return Before(
            seconds: known.reduce(0, +), cells: known.count, unknownCells: cells.count - known.count, machine: machine)
    }

    /// Takes note of what a cell took.
    public mutating func learn(_ cell: Cell, seconds: Double) {
        if let there = earlier[Self.key(cell.name)] { pace = (pace.now + seconds, pace.expected + there) }
        let rate = rates[Self.experiment(cell)] ?? (0, 0)
        rates[Self.experiment(cell)] = (rate.now + seconds, rate.expected + cell.cost)
    }

    /// Seconds that `cells` still take, without those of which nothing is known; nil when nothing is known of any.
    public func secondsLeft(_ cells: [Cell]) -> Double? {
        let pace = pace.expected > 0 ? pace.now / pace.expected : 1
        let known = cells.compactMap { cell -> Double? in
            if let there = earlier[Self.key(cell.name)] { return there * pace }
            return rates[Self.experiment(cell)].map { cell.cost * $0.now / $0.expected }
        }
        return known.isEmpty ? nil : known.reduce(0, +)
    }

    private static func experiment(_ cell: Cell) -> Substring { cell.name.prefix { $0 != "/" } }

    /// "ttft/llama-quick/1024" of "ttft/llama-quick/1024/pass 2".
    private static func key(_ name: String) -> String {
        guard let slash = name.lastIndex(of: "/"), name[slash...].hasPrefix("/pass ") else { return name }
        return String(name[..<slash])
    }
}
