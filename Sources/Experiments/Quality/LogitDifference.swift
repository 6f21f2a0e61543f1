/// How far rows of logits are apart.
enum LogitDifference {
    /// The largest |a − b|; infinity where one is NaN, so that it never passes for equal.
    static func largest(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
        var largest: Float = 0
        for (x, y) in zip(a, b) {
            let change = abs(x - y)
            if !(change <= largest) { largest = change.isNaN ? .infinity : change }
        }
        return largest
    }
}
