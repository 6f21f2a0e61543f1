/// Comma-separated text as RFC 4180 has it: fields may be quoted, a quote inside quotes is doubled, a quoted field
/// may hold commas and line breaks; lines end in LF or CRLF.
enum CommaSeparated {
    /// One record and the line on which it starts, from 1.
    struct Record: Equatable {
        var line: Int
        var fields: [String]
    }

    /// A quote where none may stand.
    struct Damage: Error, Equatable {
        var line: Int
        var problem: String
    }

    /// The records of `text`; empty lines are not records.
    static func parse(_ text: String) throws(Damage) -> [Record] {
        var records: [Record] = []
        var fields: [String] = []
        var field = ""
        var line = 1
        var start = 1
        var quoted = false  // inside quotes
        var closed = false  // after the closing quote of this field
        // A Character may be "\r\n", so scalars are read one by one.
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()

        func endField() {
            fields.append(field)
            field = ""
            closed = false
        }
        func endRecord() {
            endField()
            if fields != [""] { records.append(Record(line: start, fields: fields)) }
            fields = []
        }

        while let scalar = next {
            next = scalars.next()
            if quoted {
                if scalar == "\"", next == "\"" {
                    field.unicodeScalars.append("\"")
                    next = scalars.next()
                } else if scalar == "\"" {
                    quoted = false
                    closed = true
                } else {
                    if scalar == "\n" { line += 1 }
                    field.unicodeScalars.append(scalar)
                }
                continue
            }
            switch scalar {
            case ",": endField()
            case "\r" where next == "\n": break
            case "\n":
                endRecord()
                line += 1
                start = line
            case "\"" where field.isEmpty && !closed: quoted = true
            case _ where closed: throw Damage(line: line, problem: "text follows a closing quote")
            case "\"": throw Damage(line: line, problem: "a quote stands inside an unquoted field")
            default: field.unicodeScalars.append(scalar)
            }
        }
        if quoted { throw Damage(line: start, problem: "a quoted field is never closed") }
        if !field.isEmpty || !fields.isEmpty || closed { endRecord() }
        return records
    }

    /// `field` as it stands in a file: quoted only where it must be.
    static func escape(_ field: String) -> String {
        let special: Set<Unicode.Scalar> = [",", "\"", "\n", "\r"]
        guard field.unicodeScalars.contains(where: special.contains) else { return field }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
