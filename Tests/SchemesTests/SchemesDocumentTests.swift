import Foundation
import Schemes
import Testing

/// `docs/schemes.md` says what is so: its names, bytes, expressions and sentences are read from it and tried.
@Suite struct SchemesDocumentTests {
    /// The cells of the rows of the tables in the section under `heading`, head and rule left out.
    private func rows(under heading: String) throws -> [[String]] {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/schemes.md")
        let text = try String(contentsOf: url, encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## ").first { $0.hasPrefix(heading + "\n") })
        return section.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            line.dropFirst(2).dropLast(2).components(separatedBy: " | ").map { $0.replacing("`", with: "") }
        }
    }

    @Test func everySchemeIsThereWithItsBytes() throws {
        let rows = try rows(under: "All schemes")
        #expect(rows.map(\.first) == SchemeRegistry.all.map(\.name))
        for (row, scheme) in zip(rows, SchemeRegistry.all) {
            try #require(row.count == 7)
            #expect(try Double(row[1]) == scheme.bitsPerElement(width: 256), "\(scheme.name)")
            for (cell, width) in zip(row[2...], [64, 128, 192, 256, 576]) {
                let bytes = try? scheme.bytesPerToken(width: width)
                #expect(Int(cell.replacing(",", with: "")) == bytes, "\(scheme.name), width \(width)")
            }
        }
    }

    @Test func expressionsHaveTheirCanonicalForms() throws {
        let rows = try rows(under: "Writing a scheme")
        #expect(rows.count == 9)
        for row in rows { #expect(try CacheScheme(expression: row[0]).description == row[1]) }
    }

    @Test func mistakesAreAnsweredAsSaid() throws {
        let rows = try rows(under: "When something is wrong")
        #expect(rows.count == 14)
        for row in rows {
            let error = #expect(throws: SchemeError.self) { try CacheScheme(expression: row[0]) }
            let sentence = "\(try #require(error))"
            if row[1].hasSuffix("…") {
                #expect(sentence.hasPrefix(row[1].dropLast()), "\(row[0])")
            } else {
                #expect(sentence == row[1])
            }
        }
    }
}
