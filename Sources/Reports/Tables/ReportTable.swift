/// One table of the report, ready to be written as Markdown, CSV, LaTeX or plain text.
///
/// A cell keeps the full-precision number in the base unit of its column (seconds, bytes, …); the unit to show is
/// chosen here, once per column group, so every format shows the same text.
public struct ReportTable: Sendable, Equatable {
    public enum Alignment: Sendable { case left, right }

    public struct Column: Sendable, Equatable {
        public var header: String
        /// The name in the CSV file, with the base unit: "ttft_here_s".
        public var key: String
        public var alignment: Alignment
        public var quantity: Quantity
        /// Columns of the same quantity and group are shown in the same unit.
        public var unitGroup: String
        /// True for columns of estimates: the CSV file then has `<key>`, `<key>_low` and `<key>_high`.
        public var hasInterval: Bool
        /// True for columns that are in the CSV file only.
        public var isDetail: Bool
        /// True for sentences, which are broken into lines where a format can.
        public var isLong: Bool

        public init(
            _ header: String, key: String, _ quantity: Quantity, alignment: Alignment? = nil, unitGroup: String = "",
            hasInterval: Bool = false, isDetail: Bool = false, isLong: Bool = false
        ) {
            self.header = header
            self.key = key
            self.alignment = alignment ?? (quantity == .text ? .left : .right)
            self.quantity = quantity
            self.unitGroup = unitGroup
            self.hasInterval = hasInterval
            self.isDetail = isDetail
            self.isLong = isLong
        }
    }

    public enum Cell: Sendable, Equatable {
        case text(String)
        case number(Double)
        case estimate(Estimate)
        case verdict(Verdict)
        /// Shown as an en dash that refers to the reason, which is never empty.
        case missing(String)

        /// A count as a cell.
        public static func count(_ n: Int) -> Cell { .number(Double(n)) }
    }

    /// "T3-llama3.1-8b": also the name of its files, so letters, digits, "-", "_" and "." only.
    public let id: String
    public let title: String
    public let caption: String
    public let columns: [Column]
    public let rows: [[Cell]]
    /// Remarks below the table, in sentences.
    public let notes: [String]
    private let units: [Quantity.Unit]

    /// A table with rows.
    /// - Precondition: each row has one cell per column.
    public init(
        id: String, title: String, caption: String, columns: [Column], rows: [[Cell]], notes: [String] = []
    ) {
        precondition(rows.allSatisfy { $0.count == columns.count }, "table \(id): a row has not one cell per column")
        self.id = id
        self.title = title
        self.caption = caption
        self.columns = columns
        self.rows = rows
        self.notes = notes
        units = columns.map { column in
            let sharing = columns.indices.filter {
                columns[$0].quantity == column.quantity && columns[$0].unitGroup == column.unitGroup
                    && columns[$0].isDetail == column.isDetail
            }
            return column.quantity.unit(for: sharing.flatMap { index in rows.compactMap { $0[index].number } })
        }
    }

    /// A table that has no rows, and the sentence that says why.
    public init(id: String, title: String, absence: String) {
        self.init(id: id, title: title, caption: absence, columns: [], rows: [])
    }

    /// The table with some of its columns; nil for one that has not all of them.
    func keeping(_ keys: [String]) -> ReportTable? {
        guard !columns.isEmpty else { return self }
        let kept = keys.compactMap { key in columns.firstIndex { $0.key == key } }
        guard kept.count == keys.count else { return nil }
        return ReportTable(
            id: id, title: title, caption: caption, columns: kept.map { columns[$0] },
            rows: rows.map { row in kept.map { row[$0] } }, notes: notes)
    }

    /// The columns that are shown, as opposed to those in the CSV file only.
    var shownColumns: [Int] { columns.indices.filter { !columns[$0].isDetail } }

    /// "TTFT (ms)": the header with its unit.
    func header(_ column: Int) -> String {
        let unit = units[column].name
        return unit.isEmpty ? columns[column].header : "\(columns[column].header) (\(unit))"
    }

    /// The text of a cell in the unit of its column; a cell with a reason is followed by its mark, see ``reasons``.
    func text(_ row: Int, _ column: Int) -> String {
        let scale = units[column].scale
        switch rows[row][column] {
        case .text(let text): return text
        case .number(let x) where columns[column].quantity == .count: return NumberText.fixed(x, decimals: 0)
        case .number(let x): return NumberText.short(x * scale)
        case .estimate(let estimate): return NumberText.interval(estimate, scale: scale)
        case .verdict(let verdict): return verdict.text
        case .missing: return "–"
        }
    }

    /// "1.23 [1.20, 1.30] ms": the text of a cell with its unit.
    func textWithUnit(_ row: Int, _ column: Int) -> String {
        units[column].name.isEmpty ? text(row, column) : "\(text(row, column)) \(units[column].name)"
    }

    /// Why cells are missing, each reason once, in the order in which the shown cells meet them.
    var reasons: [String] {
        var seen: [String] = []
        for row in rows {
            for column in shownColumns {
                if let reason = row[column].reason, !seen.contains(reason) { seen.append(reason) }
            }
        }
        return seen
    }

    /// The letter of a cell's reason: "a" for the first of ``reasons``.
    func mark(_ row: Int, _ column: Int, in reasons: [String]) -> String? {
        rows[row][column].reason.flatMap(reasons.firstIndex(of:)).map(Self.letter)
    }

    /// a…z, then aa, ab, ….
    static func letter(_ index: Int) -> String {
        let last = String(UnicodeScalar(UInt8(97 + index % 26)))
        return index < 26 ? last : letter(index / 26 - 1) + last
    }

    /// How many rows came to each verdict.
    public var verdicts: (reproduced: Int, differs: Int, notRunnable: Int) {
        var count = (reproduced: 0, differs: 0, notRunnable: 0)
        for case .verdict(let verdict) in rows.joined() {
            switch verdict {
            case .reproduced: count.reproduced += 1
            case .differs: count.differs += 1
            case .notRunnable: count.notRunnable += 1
            case .notMeasured: break
            }
        }
        return count
    }
}

extension ReportTable.Cell {
    /// The number of a numeric cell, in the base unit.
    public var number: Double? {
        switch self {
        case .number(let x): x
        case .estimate(let estimate): estimate.value
        case .text, .verdict, .missing: nil
        }
    }

    /// The estimate of a cell that holds one.
    public var estimate: Estimate? {
        if case .estimate(let estimate) = self { estimate } else { nil }
    }

    /// Why there is nothing in this cell.
    var reason: String? {
        switch self {
        case .missing(let reason): reason
        case .verdict(let verdict): verdict.reason
        case .text, .number, .estimate: nil
        }
    }
}
