import Results

/// Columns that a report cannot do without.
extension ResultTable {
    func requiredStrings(_ name: String) throws -> [String] {
        guard let values = strings(name) else { throw missing(name, "string") }
        return values
    }

    func requiredInts(_ name: String) throws -> [Int] {
        guard let values = ints(name) else { throw missing(name, "int") }
        return values.map(Int.init)
    }

    func requiredDoubles(_ name: String) throws -> [Double] {
        guard let values = doubles(name) else { throw missing(name, "double") }
        return values
    }

    private func missing(_ column: String, _ kind: String) -> ReportsError {
        .missingColumn(table: schema.name, column: column, kind: kind)
    }
}
