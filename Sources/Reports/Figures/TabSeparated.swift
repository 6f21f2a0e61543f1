/// The data file of a figure: a header line, then one line per point, fields separated by tabs.
struct TabSeparated {
    enum Field {
        case text(String)
        case number(Double)

        static func count(_ n: Int) -> Field { .number(Double(n)) }
    }

    let columns: [String]
    private(set) var text: String

    init(columns: [String]) {
        self.columns = columns
        text = columns.joined(separator: "\t") + "\n"
    }

    /// Adds a line; numbers in full precision, NaN where there is none.
    mutating func append(_ fields: [Field]) {
        precondition(fields.count == columns.count, "a line of \(fields.count) fields under \(columns.count) columns")
        let texts = fields.map { field in
            switch field {
            case .number(let x): x.isFinite ? ReportTable.number(x) : "NaN"
            // gnuplot would read a quote as the start of a quoted field.
            case .text(let text): String(text.map { "\t\n\r\"".contains($0) ? " " : $0 })
            }
        }
        text += texts.joined(separator: "\t") + "\n"
    }
}
