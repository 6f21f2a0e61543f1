import Experiments
import Testing

@Suite struct BudgetedChoiceTests {
    /// The same as trying all.
    @Test func nothingIsCheaper() {
        var state: UInt64 = 1
        func next(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        for budget in [0, 7, 15, 23, 40] {
            let items = (0..<5).map { _ in
                (0..<3).map { _ in BudgetedChoice.Option(bytes: 1 + next(8), cost: Double(next(1000))) }
            }
            func all(_ rest: ArraySlice<[BudgetedChoice.Option]>, _ bytes: Int, _ cost: Double) -> Double {
                guard bytes <= budget else { return .infinity }
                guard let first = rest.first else { return cost }
                return first.map { all(rest.dropFirst(), bytes + $0.bytes, cost + $0.cost) }.min()!
            }
            let best = all(items[...], 0, 0)
            guard let choice = BudgetedChoice.least(items, budget: budget) else {
                #expect(best == .infinity)
                continue
            }
            let taken = zip(items, choice).map { $0[$1] }
            #expect(taken.reduce(0) { $0 + $1.cost } == best)
            #expect(taken.reduce(0) { $0 + $1.bytes } <= budget)
        }
    }
}
