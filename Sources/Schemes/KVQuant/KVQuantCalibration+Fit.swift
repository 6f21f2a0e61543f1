extension KVQuantCalibration.Layer {
    /// Finds ranges and levels.
    /// - Parameters:
    ///   - keys: of each head, before rotary embedding, [tokens, width].
    ///   - values: of each head, [tokens, valueWidth]; empty where values are a part of the keys.
    public init(keys: [[Float]], width: Int, values: [[Float]], valueWidth: Int, rotary: KVQuantRotary) {
        func grid(_ isSparse: Bool) -> KVQuantCalibration.Grid {
            var (middles, halves, inside): ([Float], [Float], [Float]) = ([], [], [])
            for rows in keys {
                for column in 0..<width {
                    let channel = stride(from: column, to: rows.count, by: width).map { rows[$0] }.sorted()
                    let share = isSparse ? KVQuantScheme.outlierShare / 2 : 0
                    let (low, high) = (Self.quantile(channel, share), Self.quantile(channel, 1 - share))
                    let (middle, half) = ((low + high) / 2, (high - low) / 2)
                    middles.append(middle)
                    halves.append(half)
                    if half > 0 { inside += channel.lazy.filter { low <= $0 && $0 <= high }.map { ($0 - middle) / half } }
                }
            }
            let scaled = values.flatMap { rows -> [Float] in
                let tile = KVQuantScheme.tile * max(valueWidth, 1)
                return stride(from: 0, to: rows.count, by: tile).flatMap { start in
                    KVQuantValues(Array(rows[start..<min(start + tile, rows.count)]), width: valueWidth, isSparse: isSparse).scaled
                }
            }
            return KVQuantCalibration.Grid(
                middles: middles, halves: halves,
                keyLevels: KVQuantCalibration.bits.map { KVQuantLevels.fit(inside, bits: $0) },
                valueLevels: KVQuantCalibration.bits.map { KVQuantLevels.fit(scaled, bits: $0) })
        }
        self.init(heads: keys.count, width: width, dense: grid(false), sparse: grid(true), rotary: rotary)
    }

    /// Between two numbers where the place is between them.
    private static func quantile(_ sorted: [Float], _ share: Double) -> Float {
        let place = Double(sorted.count - 1) * share
        let index = min(Int(place), max(0, sorted.count - 2))
        guard sorted.count > 1 else { return sorted[0] }
        return sorted[index] + (sorted[index + 1] - sorted[index]) * Float(place - Double(index))
    }
}

/// Levels with the least squared error on some numbers: k-means in one dimension.
public enum KVQuantLevels {
    /// The most numbers that levels are fitted to.
    private static let samples = 1 << 16
    private static let rounds = 300

    /// - Returns: 2^bits levels, ascending; evenly in −1 … 1 where there are too few numbers.
    public static func fit(_ numbers: [Float], bits: Int) -> [Float] {
        let count = 1 << bits
        let step = max(1, numbers.count / samples)
        let sorted = stride(from: 0, to: numbers.count, by: step).map { numbers[$0] }.sorted()
        guard sorted.count > count else { return (0..<count).map { Float(2 * $0 + 1) / Float(count) - 1 } }
        var sums = [0.0]
        for number in sorted { sums.append(sums.last! + Double(number)) }
        // From levels that share the numbers evenly.
        var levels = (0..<count).map { Double(sorted[(2 * $0 + 1) * sorted.count / (2 * count)]) }
        for _ in 0..<rounds {
            let before = levels
            var start = 0
            for index in levels.indices {
                let end = index + 1 < count ? firstAbove((before[index] + before[index + 1]) / 2, in: sorted) : sorted.count
                if end > start { levels[index] = (sums[end] - sums[start]) / Double(end - start) }
                start = max(start, end)
            }
            if levels == before { break }
        }
        return levels.map(Float.init)
    }

    /// Index of the first number above `edge`.
    private static func firstAbove(_ edge: Double, in sorted: [Float]) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if Double(sorted[middle]) <= edge { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
