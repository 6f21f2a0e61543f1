import Experiments
import Testing

@Suite struct StoppingRuleTests {
    let rule = StoppingRule(relativeInterval: 0.5, leastWindows: 3, seconds: 10)

    @Test func goesOnUntilTheIntervalIsNarrow() {
        let even = [[1.0, 1.1], [1.0, 0.9], [1.05, 0.95]]
        #expect(rule.reason(windows: Array(even.prefix(2)), seconds: 0, left: 9) == nil)
        #expect(rule.reason(windows: even, seconds: 0, left: 9) == .interval)
        #expect(rule.reason(windows: [[0.1], [1], [9]], seconds: 0, left: 9) == nil)
    }

    /// However little time there is, two windows are measured: one has no interval.
    @Test func stopsWhenTheTimeIsUsedUp() {
        let wide: [[Double]] = [[0.1], [1], [9]]
        #expect(rule.reason(windows: [[1]], seconds: 100, left: 9) == nil)
        #expect(rule.reason(windows: Array(wide.prefix(2)), seconds: 100, left: 9) == .time)
        #expect(rule.reason(windows: wide, seconds: 9.9, left: 9) == nil)
        #expect(rule.reason(windows: wide, seconds: 10, left: 9) == .time)
    }

    @Test func stopsAtTheEndOfTheText() {
        #expect(rule.reason(windows: [[1]], seconds: 0, left: 0) == .text)
        #expect(rule.reason(windows: [[0.1], [1], [9]], seconds: 0, left: 0) == .text)
    }

    /// Nothing diverges: there is no interval to be narrow over its mean but one of no width.
    @Test func noDivergenceIsNarrow() {
        #expect(rule.reason(windows: [[0], [0], [0]], seconds: 0, left: 9) == .interval)
    }
}
