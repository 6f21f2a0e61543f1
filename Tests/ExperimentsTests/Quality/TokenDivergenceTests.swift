import Experiments
import Foundation
import Testing

struct TokenDivergenceTests {
    private func divergence(_ base: [Float], _ other: [Float], next: Int32) -> TokenDivergence? {
        base.withUnsafeBufferPointer { p in
            other.withUnsafeBufferPointer { q in TokenDivergence(base: p, other: q, next: next) }
        }
    }

    /// p = (1/2, 1/4, 1/4), q = (1/4, 1/2, 1/4): KL = ½·ln 2 − ¼·ln 2.
    @Test func byHand() throws {
        let two = Float(log(2.0))
        let one = try #require(divergence([two + 5, 5, 5], [-3, two - 3, -3], next: 1))
        #expect(abs(one.klDivergence - 0.25 * log(2.0)) < 1e-6)
        #expect(abs(one.baseLoss - log(4.0)) < 1e-6 && abs(one.loss - log(2.0)) < 1e-6)
        #expect(abs(one.probabilityChange - 0.25) < 1e-6)
        #expect(!one.agrees)
    }

    @Test func isZeroForEqualLogitsAndTheFirstOfEqualsIsTheTop() throws {
        let logits = (0..<500).map { Float(sin(Double($0)) * 20) }
        let same = try #require(divergence(logits, logits, next: 7))
        #expect(same.klDivergence == 0 && same.agrees && same.probabilityChange == 0)
        let tie = try #require(divergence([1, 1, 0], [1, 0.5, 0], next: 0))
        #expect(tie.agrees)
    }

    @Test func refusesWhatIsNotFinite() {
        for bad in [Float.nan, .infinity] {
            #expect(divergence([0, bad, 1], [0, 0, 1], next: 0) == nil)
            #expect(divergence([0, 0, 1], [bad, 0, 1], next: 0) == nil)
        }
    }

    @Test func windowsCountEveryTokenOnce() {
        let windows = TextWindows(window: 512, stride: 256)
        #expect(windows.ranges(of: 511) == [])
        #expect(windows.ranges(of: 1100) == [0..<512, 256..<768, 512..<1024])
        var counted: [Int] = []
        for (index, range) in windows.ranges(of: 1100).enumerated() {
            counted += windows.counted(in: index).map { $0 + range.lowerBound }
        }
        #expect(counted == Array(1..<1024))
        #expect(TextWindows(window: 8, stride: 8).counted(in: 1) == 1..<8)
    }
}
