import Foundation

/// One file of published numbers, `datasets/paper/<name>.csv`: a header line, then one record per published row.
public struct PublishedTable: Sendable, Equatable {
    public let name: String
    /// The file it was read from, for messages.
    public let file: String
    public let columns: [String]
    private let records: [CommaSeparated.Record]

    public var rowCount: Int { records.count }

    /// Reads `<folder>/<name>.csv`.
    /// - Throws: ``ReportsError/unreadable(file:reason:)`` when there is no such file;
    ///   ``ReportsError/damaged(file:line:problem:)`` when a quote is out of place, there is no header, or a record
    ///   has not one field per column.
    public init(named name: String, in folder: String) throws {
        let file = folder + "/" + name + ".csv"
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ReportsError.unreadable(
                file: file,
                reason: FileManager.default.fileExists(atPath: file) ? "it is not readable" : "there is no such file")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ReportsError.unreadable(file: file, reason: "it is not UTF-8 text")
        }
        try self.init(named: name, file: file, text: text)
    }

    /// Reads the text of such a file; `file` is only for messages.
    public init(named name: String, file: String, text: String) throws {
        let all: [CommaSeparated.Record]
        do {
            all = try CommaSeparated.parse(text)
        } catch {
            throw ReportsError.damaged(file: file, line: error.line, problem: error.problem)
        }
        guard let header = all.first else {
            throw ReportsError.damaged(file: file, line: 1, problem: "there is no header line")
        }
        for record in all.dropFirst() where record.fields.count != header.fields.count {
            throw ReportsError.damaged(
                file: file, line: record.line,
                problem: "\(record.fields.count) fields where the header has \(header.fields.count)")
        }
        self.name = name
        self.file = file
        columns = header.fields
        records = Array(all.dropFirst())
    }

    /// The text of column `column` in row `row`, rows from 0.
    /// - Throws: ``ReportsError/damaged(file:line:problem:)`` when the header has no such column.
    public func text(_ row: Int, _ column: String) throws -> String {
        guard let index = columns.firstIndex(of: column) else {
            throw ReportsError.damaged(file: file, line: 1, problem: "there is no column '\(column)'")
        }
        return records[row].fields[index]
    }

    /// The number of column `column` in row `row`.
    /// - Throws: ``ReportsError/damaged(file:line:problem:)`` when the column is missing or holds no finite number.
    public func number(_ row: Int, _ column: String) throws -> Double {
        let text = try text(row, column)
        guard let number = Double(text), number.isFinite else {
            throw ReportsError.damaged(
                file: file, line: records[row].line, problem: "column '\(column)' holds '\(text)', which is no number")
        }
        return number
    }

    /// The whole number of column `column` in row `row`.
    /// - Throws: as ``number(_:_:)``, and when the number is not whole.
    public func integer(_ row: Int, _ column: String) throws -> Int {
        let number = try number(row, column)
        guard let whole = Int(exactly: number) else {
            throw ReportsError.damaged(
                file: file, line: records[row].line, problem: "column '\(column)' holds \(number), which is not whole")
        }
        return whole
    }
}
