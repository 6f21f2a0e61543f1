/// One value of a results row. Missing numbers are NaN (`Value.missing`), missing texts are empty.
public enum Value: Sendable, Equatable {
    case int(Int64)
    case double(Double)
    case string(String)

    /// A number that is not known.
    public static let missing = Value.double(.nan)
}

/// The type of a column, fixed by its schema.
public enum ColumnKind: String, Sendable, Equatable {
    case int, double, string
}

/// What a column is: its HDF5 dataset name and the attributes stored with it.
public struct ColumnSchema: Sendable, Equatable {
    public var name: String
    public var kind: ColumnKind
    /// UDUNITS-style: "s", "1", "bytes", "tokens"; empty for texts.
    public var units: String
    public var longName: String

    public init(_ name: String, _ kind: ColumnKind, units: String = "", _ longName: String) {
        self.name = name
        self.kind = kind
        self.units = units
        self.longName = longName
    }
}

/// What a table is: an HDF5 group with one equal-length 1-D dataset per column.
public struct TableSchema: Sendable, Equatable {
    public var name: String
    public var title: String
    public var columns: [ColumnSchema]

    public init(name: String, title: String, columns: [ColumnSchema]) {
        self.name = name
        self.title = title
        self.columns = columns
    }
}

/// One row: a value per column name.
public typealias Row = [String: Value]

/// The values of one column; all columns of a table have the same length.
public enum ColumnValues: Sendable, Equatable {
    case int([Int64])
    case double([Double])
    case string([String])

    /// Adds a value of the same kind, or an integer to doubles, in constant time on average: the list is taken out of
    /// the case first, so that it is unique and grows in place.
    fileprivate mutating func append(_ value: Value) {
        switch self {
        case .int(var list):
            guard case .int(let x) = value else { break }
            self = .int([])
            list.append(x)
            self = .int(list)
            return
        case .double(var list):
            let x: Double
            switch value {
            case .double(let number): x = number
            case .int(let number): x = Double(number)
            case .string: preconditionFailure("\(value) in a column of numbers")
            }
            self = .double([])
            list.append(x)
            self = .double(list)
            return
        case .string(var list):
            guard case .string(let x) = value else { break }
            self = .string([])
            list.append(x)
            self = .string(list)
            return
        }
        preconditionFailure("\(value) in a column of another kind")
    }
}

/// A table of samples, stored by column, rows in the order in which they were measured.
public struct ResultTable: Sendable, Equatable {
    public let schema: TableSchema
    public private(set) var values: [ColumnValues]
    public private(set) var rowCount = 0

    public init(schema: TableSchema) {
        self.schema = schema
        values = schema.columns.map {
            switch $0.kind {
            case .int: .int([])
            case .double: .double([])
            case .string: .string([])
            }
        }
    }

    /// A table with the columns that a file holds, which are of its schema's kinds and of one length.
    init(schema: TableSchema, values: [ColumnValues], rowCount: Int) {
        self.schema = schema
        self.values = values
        self.rowCount = rowCount
    }

    /// Appends one row.
    /// - Throws: ``ResultsError/badRow(table:column:problem:)`` when a column is missing, unknown or of another kind;
    ///   an integer is accepted for a double column. Nothing is appended then.
    public mutating func append(_ row: Row) throws {
        if let unknown = row.keys.sorted().first(where: { name in
            !schema.columns.contains { $0.name == name }
        }) {
            throw ResultsError.badRow(table: schema.name, column: unknown, problem: "is not in the schema")
        }
        for column in schema.columns {
            switch (column.kind, row[column.name]) {
            case (_, nil):
                throw ResultsError.badRow(table: schema.name, column: column.name, problem: "is missing")
            case (.int, .int), (.double, .double), (.double, .int), (.string, .string): break
            case (_, let value?):
                throw ResultsError.badRow(
                    table: schema.name, column: column.name, problem: "holds \(column.kind.rawValue), not \(value)")
            }
        }
        for (index, column) in schema.columns.enumerated() {
            values[index].append(row[column.name]!)
        }
        rowCount += 1
    }

    private func index(of name: String) -> Int? { schema.columns.firstIndex { $0.name == name } }

    /// The values of an integer column; nil when there is no such column of that kind.
    public func ints(_ name: String) -> [Int64]? {
        guard let i = index(of: name), case .int(let list) = values[i] else { return nil }
        return list
    }

    public func doubles(_ name: String) -> [Double]? {
        guard let i = index(of: name), case .double(let list) = values[i] else { return nil }
        return list
    }

    public func strings(_ name: String) -> [String]? {
        guard let i = index(of: name), case .string(let list) = values[i] else { return nil }
        return list
    }

    /// Row `row` as a dictionary.
    public func row(_ row: Int) -> Row {
        var out: Row = [:]
        for (column, list) in zip(schema.columns, values) {
            switch list {
            case .int(let x): out[column.name] = .int(x[row])
            case .double(let x): out[column.name] = .double(x[row])
            case .string(let x): out[column.name] = .string(x[row])
            }
        }
        return out
    }
}
