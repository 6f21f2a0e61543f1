import Results

/// The samples of one cell of the results table `speed`, over all passes.
struct SpeedRow: Equatable {
    var shape: String
    var layers: Int
    var weights: String
    var scheme: String
    /// "prefill" or "decode".
    var test: String
    var tokens: Int
    var depth: Int
    var batch: Int
    var tokensPerSecond: [Double] = []
    var operationsPerSecond: [Double] = []
    var bytesPerSecond: [Double] = []

    var model: String { "\(shape), \(layers) layers" }

    var label: String {
        test == "prefill"
            ? "prefill \(NumberText.context(tokens))"
            : "decode at \(NumberText.context(depth))" + (batch > 1 ? ", batch \(batch)" : "")
    }

    /// Operations for each byte that must be read.
    var intensity: Double { operationsPerSecond.reduce(0, +) / bytesPerSecond.reduce(0, +) }

    private struct Place: Hashable {
        var shape: String
        var layers: Int
        var scheme: String
        var test: String
        var tokens: Int
        var depth: Int
        var batch: Int
    }

    /// In the order of models, tests, depths, batches and schemes; passes together.
    static func all(in table: ResultTable) throws -> [SpeedRow] {
        let shape = try table.requiredStrings("shape")
        let layers = try table.requiredInts("layers")
        let weights = try table.requiredStrings("weights")
        let scheme = try table.requiredStrings("scheme")
        let test = try table.requiredStrings("test")
        let tokens = try table.requiredInts("tokens")
        let depth = try table.requiredInts("depth")
        let batch = try table.requiredInts("batch")
        let speed = try table.requiredDoubles("tokens_per_second")
        let operations = try table.requiredDoubles("operations_per_second")
        let bytes = try table.requiredDoubles("bytes_per_second")
        var rows: [Place: SpeedRow] = [:]
        var shapes: [String] = []
        for i in 0..<table.rowCount {
            let place = Place(
                shape: shape[i], layers: layers[i], scheme: scheme[i], test: test[i], tokens: tokens[i], depth: depth[i],
                batch: batch[i])
            shapes.append(shape[i])
            var row =
                rows[place]
                ?? SpeedRow(
                    shape: shape[i], layers: layers[i], weights: weights[i], scheme: scheme[i], test: test[i],
                    tokens: tokens[i], depth: depth[i], batch: batch[i])
            row.tokensPerSecond.append(speed[i])
            row.operationsPerSecond.append(operations[i])
            row.bytesPerSecond.append(bytes[i])
            rows[place] = row
        }
        let order = orderedSet(shapes)
        func key(_ row: SpeedRow) -> [Int] {
            [
                order.firstIndex(of: row.shape)!, row.layers, row.test == "prefill" ? 0 : 1, row.batch, row.depth, row.tokens,
                row.scheme == "fp16" ? 0 : 1,
            ]
        }
        return rows.values.sorted { a, b in
            let (x, y) = (key(a), key(b))
            return x == y ? a.scheme < b.scheme : x.lexicographicallyPrecedes(y)
        }
    }
}

/// The ceilings of the machine in the results table `ceilings`.
struct CeilingRow: Equatable {
    /// "f32 fma", "int8 dot", "bf16 tiles", "memory read" or "parallel region".
    var kind: String
    var rates: [Double]

    static func all(in table: ResultTable) throws -> [CeilingRow] {
        let kind = try table.requiredStrings("kind")
        let rate = try table.requiredDoubles("rate")
        return orderedSet(kind).map { name in
            CeilingRow(kind: name, rates: zip(kind, rate).filter { $0.0 == name }.map(\.1))
        }
    }

    /// In words, with units.
    var words: String {
        let rate = Estimate(rates).value
        return switch kind {
        case "memory read": "\(kind) \(NumberText.short(rate / 1e9)) GB/s"
        case "parallel region": "\(kind) \(NumberText.short(1e6 / rate)) µs"
        default: "\(kind) \(NumberText.short(rate / 1e9)) GOP/s"
        }
    }

    /// Rates of arithmetic.
    var isArithmetic: Bool { kind != "memory read" && kind != "parallel region" }

    /// What computes: tiles where there are some, else dot products of 8 bits.
    static func compute(_ rows: [CeilingRow]) -> CeilingRow? {
        ["bf16 tiles", "int8 dot"].lazy.compactMap { name in rows.first { $0.kind == name } }.first
    }
}
