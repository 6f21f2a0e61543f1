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
            case .text(let text): Self.clean(text)
            }
        }
        text += texts.joined(separator: "\t") + "\n"
    }

    /// `text` as a field: without tabs and line breaks, and without quotes, which gnuplot would read as the start of a
    /// quoted field.
    static func clean(_ text: String) -> String {
        String(text.map { $0.isNewline || $0 == "\t" || $0 == "\"" ? " " : $0 })
    }
}
