import ArgumentParser
import Foundation
import Results

/// Prints rows as aligned columns, or as JSON.
struct ListOptions: ParsableArguments {
    @Flag(help: "Print a JSON array of objects.")
    var json = false

    /// Rows with the same keys in the same order.
    func show(_ rows: [[(key: String, value: String)]]) throws {
        guard json else { return Self.printTable(rows) }
        let objects = rows.map { Dictionary($0.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }) }
        let data = try JSONSerialization.data(
            withJSONObject: objects, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        print(String(decoding: data, as: UTF8.self))
    }

    /// Prints rows as aligned columns under their keys.
    static func printTable(_ rows: [[(key: String, value: String)]]) {
        guard let first = rows.first else { return }
        let table = [first.map(\.key)] + rows.map { $0.map(\.value) }
        let widths = first.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        for row in table {
            let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
            print(line.replacing(/\s+$/, with: ""))
        }
    }
}

extension Value {
    /// The value as a person reads it.
    var text: String {
        switch self {
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): value
        }
    }
}
