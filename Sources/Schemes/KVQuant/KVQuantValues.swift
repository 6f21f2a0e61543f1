/// Values of a tile of one head: which of them are outliers, and the range of the others of each token.
struct KVQuantValues {
    private let rows: [Float]
    private let width: Int
    /// Indices in the tile of those furthest from their token's mean in its standard deviations, the furthest first; of two as far
    /// the earlier. Never those within two standard deviations.
    let outliers: [Int]
    /// Middle of each token's range, and half its width.
    let middles: [Float]
    let halves: [Float]

    /// - Parameter rows: [tokens, width], finite.
    init(_ rows: [Float], width: Int, isSparse: Bool) {
        self.rows = rows
        self.width = width
        let tokens = rows.count / max(width, 1)
        var sizes: [(size: Float, index: Int)] = []
        for token in 0..<(isSparse ? tokens : 0) {
            let row = rows[(token * width)..<((token + 1) * width)]
            let mean = row.reduce(0, +) / Float(width)
            let deviation = (row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(width)).squareRoot()
            for index in row.indices where abs(row[index] - mean) > 2 * deviation {
                sizes.append((abs(row[index] - mean) / deviation, index))
            }
        }
        outliers = KVQuantScheme.furthest(sizes, of: rows.count)
        var isOutlier = [Bool](repeating: false, count: rows.count)
        for index in outliers { isOutlier[index] = true }
        var (middles, halves): ([Float], [Float]) = ([], [])
        for token in 0..<tokens {
            var (low, high) = (Float.infinity, -Float.infinity)
            for index in (token * width)..<((token + 1) * width) where !isOutlier[index] {
                low = min(low, rows[index])
                high = max(high, rows[index])
            }
            middles.append(low <= high ? (low + high) / 2 : 0)
            halves.append(low <= high ? (high - low) / 2 : 0)
        }
        (self.middles, self.halves) = (middles, halves)
    }

    /// What is no outlier, between −1 and 1; tokens of one value left out.
    var scaled: [Float] {
        let kept = Set(outliers)
        return rows.indices.compactMap { index in
            let token = index / width
            return halves[token] > 0 && !kept.contains(index) ? (rows[index] - middles[token]) / halves[token] : nil
        }
    }
}
