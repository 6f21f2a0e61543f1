import Foundation
import Reports
import Testing

/// The folder of published numbers of this checkout.
let publishedFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("datasets/paper").path

struct PublishedTableTests {
    private func table(_ text: String) throws -> PublishedTable {
        try PublishedTable(named: "x", file: "datasets/paper/x.csv", text: text)
    }

    private func sentence(_ text: String, reading: (PublishedTable) throws -> Void = { _ in }) -> String {
        do {
            try reading(try table(text))
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func readsQuotedFields() throws {
        let table = try table("a,b\r\n\"x, \"\"y\"\"\nz\",2.5\n\nlast,3")
        #expect(table.columns == ["a", "b"])
        #expect(table.rowCount == 2)
        #expect(try table.text(0, "a") == "x, \"y\"\nz")
        #expect(try table.number(0, "b") == 2.5)
        #expect(try table.integer(1, "b") == 3)
    }

    @Test func keepsEmptyFields() throws {
        let table = try table("a,b,c\n1,,\n")
        #expect(try table.text(0, "b") == "")
        #expect(try table.text(0, "c") == "")
    }

    @Test func namesFileAndLineOfDamage() {
        let start = "The published numbers in 'datasets/paper/x.csv' are damaged at line "
        #expect(sentence("") == start + "1: there is no header line.")
        #expect(sentence("a,b\n1,2\n3\n") == start + "3: 1 fields where the header has 2.")
        #expect(sentence("a,b\n\"1,2\n3,4\n") == start + "2: a quoted field is never closed.")
        #expect(sentence("a,b\n\"1\"x,2\n") == start + "2: text follows a closing quote.")
        #expect(sentence("a,b\n1,x\"y\"\n") == start + "2: a quote stands inside an unquoted field.")
        #expect(
            sentence("a,b\n\"1\n\n\",2\n3,x\n") { _ = try $0.number(1, "b") }
                == start + "5: column 'b' holds 'x', which is no number.")
        #expect(
            sentence("a\nnan\n") { _ = try $0.number(0, "a") } == start
                + "2: column 'a' holds 'nan', which is no number.")
        #expect(
            sentence("a\n1.5\n") { _ = try $0.integer(0, "a") } == start
                + "2: column 'a' holds 1.5, which is not whole.")
        #expect(sentence("a\n1\n") { _ = try $0.text(0, "b") } == start + "1: there is no column 'b'.")
    }

    @Test func saysThatAFileIsMissing() {
        #expect(throws: ReportsError.unreadable(file: "/nowhere/x.csv", reason: "there is no such file")) {
            try PublishedTable(named: "x", in: "/nowhere")
        }
        #expect(
            "\(ReportsError.unreadable(file: "/nowhere/x.csv", reason: "there is no such file"))"
                == "The published numbers in '/nowhere/x.csv' cannot be read: there is no such file.")
    }

    @Test func everyFileOfTheCheckoutReads() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: publishedFolder).filter { $0.hasSuffix(".csv") }
        #expect(names.count == 14)
        for name in names {
            #expect(try PublishedTable(named: String(name.dropLast(4)), in: publishedFolder).rowCount > 0, "\(name)")
        }
    }
}
