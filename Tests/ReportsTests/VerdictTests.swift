import Reports
import Testing

struct VerdictTests {
    private func here(_ value: Double, _ low: Double, _ high: Double) -> Estimate {
        Estimate(value: value, low: low, high: high, sampleCount: 6, coverage: 0.96875)
    }

    @Test func atLeastNeedsTheWholeInterval() {
        let rule = VerdictRule.atLeast(share: 0.5)
        #expect(rule.decide(published: 30, here: here(20, 15, 25)) == .reproduced)
        #expect(rule.decide(published: 30, here: here(90, 80, 99)) == .reproduced)
        #expect(rule.decide(published: 30, here: here(20, 14.9, 25)) == .differs)
        #expect(rule.decide(published: 30, here: here(10, 9, 11)) == .differs)
    }

    @Test func atMostNeedsTheWholeInterval() {
        let rule = VerdictRule.atMost(factor: 2)
        #expect(rule.decide(published: 1.5, here: here(2, 1, 3)) == .reproduced)
        #expect(rule.decide(published: 1.5, here: here(2, 1, 3.01)) == .differs)
        let floored = VerdictRule.atMost(factor: 2, floor: 0.1)
        #expect(floored.decide(published: 0.01, here: here(0.08, 0.08, 0.08)) == .reproduced)
        #expect(floored.decide(published: 0.01, here: here(0.12, 0.12, 0.12)) == .differs)
    }

    @Test func equalAndWithinLookAtTheValue() {
        #expect(VerdictRule.equal.decide(published: 24, here: .exact(24)) == .reproduced)
        #expect(VerdictRule.equal.decide(published: 24, here: .exact(23)) == .differs)
        let rule = VerdictRule.within(share: 0.01)
        #expect(rule.decide(published: 304, here: .exact(303.75)) == .reproduced)
        #expect(rule.decide(published: 304, here: .exact(300)) == .differs)
        #expect(rule.decide(published: 304, here: .exact(308)) == .differs)
    }

    @Test func rulesAreStatedInWords() {
        #expect(
            VerdictRule.atLeast(share: 0.5).statement(of: "the whole interval")
                == "the whole interval is at least 0.5 × the published one")
        #expect(
            VerdictRule.atMost(factor: 2, floor: 0.1).statement(of: "the spread")
                == "the spread is at most 2 × the published one, or at most 10 % where that is more")
        #expect(VerdictRule.within(share: 0.01).statement(of: "it") == "it is within 1 % of the published one")
        #expect(VerdictRule.equal.statement(of: "it") == "it equals the published one")
    }
}
