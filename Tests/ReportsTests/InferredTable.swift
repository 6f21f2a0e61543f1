import Results

/// A results table whose columns are those of its rows.
func inferredTable(_ name: String, _ rows: [Row]) throws -> ResultTable {
    let columns = (rows.first ?? [:]).sorted { $0.key < $1.key }.map { key, value in
        switch value {
        case .int: ColumnSchema(key, .int, key)
        case .double: ColumnSchema(key, .double, key)
        case .string: ColumnSchema(key, .string, key)
        }
    }
    return try SampleRun.table(TableSchema(name: name, title: name, columns: columns), rows)
}
