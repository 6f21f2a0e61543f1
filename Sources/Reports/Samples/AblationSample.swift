import Results

/// A component with it or without it: a row of the results table `ablation`.
struct AblationSample: Equatable {
    var pass: Int
    var shape: String
    var paperModel: String
    var weights: String
    var scheme: String
    var component: String
    var metric: String
    /// "s", "1" or "1/s".
    var unit: String
    var isOn: Bool
    var contextTokens: Int
    /// In the unit of the row.
    var value: Double
    var hardware: String

    /// The rows of `table`.
    /// - Throws: ``ReportsError/missingColumn(table:column:kind:)``.
    static func all(in table: ResultTable) throws -> [AblationSample] {
        let (pass, isOn) = (try table.requiredInts("pass"), try table.requiredInts("enabled"))
        let (context, threads) = (try table.requiredInts("context_tokens"), try table.requiredInts("threads"))
        let (shape, model) = (try table.requiredStrings("shape"), try table.requiredStrings("paper_model"))
        let (weights, scheme) = (try table.requiredStrings("weights"), try table.requiredStrings("scheme"))
        let (component, metric) = (try table.requiredStrings("component"), try table.requiredStrings("metric"))
        let (unit, isa) = (try table.requiredStrings("unit"), try table.requiredStrings("isa"))
        let value = try table.requiredDoubles("value")
        return (0..<table.rowCount).map { row in
            AblationSample(
                pass: pass[row], shape: shape[row], paperModel: model[row], weights: weights[row], scheme: scheme[row],
                component: component[row], metric: metric[row], unit: unit[row], isOn: isOn[row] == 1,
                contextTokens: context[row], value: value[row], hardware: "\(threads[row]) threads, \(isa[row])")
        }
    }
}
