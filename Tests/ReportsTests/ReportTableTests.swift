import Reports
import Testing

struct ReportTableTests {
    private let interval = Estimate(value: 12.34, low: 12.0, high: 12.881, sampleCount: 6, coverage: 0.96875)

    private func table(_ columns: [ReportTable.Column], _ rows: [[ReportTable.Cell]], notes: [String] = [])
        -> ReportTable
    {
        ReportTable(id: "T", title: "Title", caption: "Caption.", columns: columns, rows: rows, notes: notes)
    }

    private func column(_ quantity: Quantity, group: String = "") -> ReportTable.Column {
        .init("x", key: "x", quantity, unitGroup: group)
    }

    /// The text of the first row of a one-column table, with the unit of its header.
    private func shown(_ quantity: Quantity, _ values: [Double]) -> (String, String) {
        let lines = table([column(quantity)], values.map { [.number($0)] }).plainText.split(separator: "\n")
        return (lines[1].trimmed, lines[3].trimmed)
    }

    @Test func showsThreeSignificantDigits() {
        #expect(shown(.plain, [12.34]).1 == "12.3")
        #expect(shown(.plain, [0.012345]).1 == "0.0123")
        #expect(shown(.plain, [9.996]).1 == "10.0")
        #expect(shown(.plain, [0.000000444]).1 == "0.000000444")
        #expect(shown(.plain, [2.34e-230]).1 == "2.3e-230")
        #expect(shown(.plain, [0]).1 == "0")
        #expect(shown(.plain, [-1.5]).1 == "-1.50")
        #expect(shown(.plain, [123_456.7]).1 == "123,457")
        #expect(shown(.plain, [1234]).1 == "1234")
        #expect(shown(.count, [1_234_567]).1 == "1,234,567")
    }

    @Test func choosesOneUnitForAColumn() {
        #expect(shown(.seconds, [0.25, 172]) == ("x (s)", "0.250"))
        #expect(shown(.seconds, [0.02, 1.5]) == ("x (ms)", "20.0"))
        #expect(shown(.seconds, [0.00005]) == ("x (µs)", "50.0"))
        #expect(shown(.bytes, [144 * 0x1p20, 1.5 * 0x1p30]) == ("x (MiB)", "144"))
        #expect(shown(.bytesPerSecond, [21.4e9]) == ("x (GB/s)", "21.4"))
        #expect(shown(.factor, [8.345]) == ("x (×)", "8.35"))
        #expect(shown(.share, [0.05]) == ("x (%)", "5.00"))
    }

    @Test func columnsOfOneGroupShareTheirUnit() {
        let together = table([column(.seconds), column(.seconds)], [[.number(0.002), .number(3)]])
        #expect(together.plainText.contains("2.00    3000"))
        let apart = table([column(.seconds), column(.seconds, group: "b")], [[.number(0.002), .number(3)]])
        #expect(apart.plainText.contains("x (ms)  x (s)"))
        #expect(apart.plainText.contains("2.00   3.00"))
    }

    @Test func showsAnIntervalWithTheDecimalsOfItsValue() {
        let column = ReportTable.Column("t", key: "t_s", .seconds, hasInterval: true)
        #expect(table([column], [[.estimate(interval)]]).plainText.contains("12.3 [12.0, 12.9]"))
    }

    @Test func markdownEscapesAndAligns() {
        let table = table(
            [.init("a|b", key: "a", .text), .init("n", key: "n", .count)],
            [[.text("x_y *z* <b> `c` \\"), .number(3)], [.text("line\nbreak"), .number(12)]], notes: ["q4_0 | q8_0"])
        #expect(
            table.markdown == #"""
                ### Title

                Caption.

                | a\|b                     |   n |
                | :----------------------- | --: |
                | x\_y \*z\* \<b> \`c\` \\ |   3 |
                | line break               |  12 |

                - q4\_0 \| q8\_0

                """#)
    }

    @Test func latexEscapesAndGroups() {
        let table = table(
            [.init("50 % of $", key: "a", .text), .init("µ", key: "n", .factor)],
            [
                [.text("a_b & {c} #1"), .number(2)], [.text("a_b & {c} #1"), .number(3)],
                [.text("~^\\ \"q\" ≥ 1–2"), .number(4)],
            ])
        let latex = table.latex
        #expect(latex.contains("\\begin{tabular}{@{}lr@{}}"))
        #expect(latex.contains("50 \\% of \\$ & $\\mu$ ($\\times$) \\\\\n    \\midrule"))
        #expect(latex.contains("a\\_b \\& \\{c\\} \\#1 & 3.00 \\\\\n    \\addlinespace\n"))
        #expect(latex.contains("\\textasciitilde{}\\textasciicircum{}\\textbackslash{} ``q'' $\\geq$ 1--2 & 4.00 \\\\"))
        #expect(latex.contains("\\label{tab:T}") && latex.contains("\\bottomrule"))
    }

    @Test func aRowThatStartsWithABracketIsNoOptionalArgument() {
        #expect(table([.init("a", key: "a", .text)], [[.text("[1]")]]).latex.contains("    {}[1] \\\\"))
    }

    @Test func aMissingValueIsADashWithItsReason() {
        let table = table(
            [.init("a", key: "a", .text), .init("b", key: "b", .count), .init("v", key: "v", .text)],
            [
                [.text("x"), .missing("not measured"), .verdict(.notRunnable(reason: "no 32K here"))],
                [.text("y"), .missing("not measured"), .verdict(.reproduced)],
            ])
        #expect(table.markdown.contains("– <sup>a</sup>"))
        #expect(table.markdown.contains("not runnable here <sup>b</sup>"))
        #expect(table.markdown.contains("<sup>a</sup> not measured; <sup>b</sup> no 32K here.\n"))
        #expect(table.latex.contains("--\\textsuperscript{a}"))
        #expect(table.plainText.contains("(a) not measured\n(b) no 32K here\n"))
        #expect(
            table.csv
                == "a,b,v,notes\nx,,not runnable here,not measured: b; no 32K here: v\ny,,reproduced,not measured: b\n")
    }

    @Test func marksGoOnAfterZ() {
        let rows = (0..<28).map { [ReportTable.Cell.missing("reason \($0)")] }
        let markdown = table([column(.count)], rows).markdown
        #expect(markdown.contains("<sup>z</sup> reason 25; <sup>aa</sup> reason 26; <sup>ab</sup> reason 27."))
    }

    @Test func csvReadsBackAsTheSameNumbers() throws {
        let values = [0.1 + 0.2, 1.0 / 3.0, 12345678.9, 6.02e23, 2.5e-308, 42]
        let table = table(
            [
                .init("name", key: "name", .text), .init("t", key: "t_s", .seconds, hasInterval: true),
                .init("d", key: "d", .bytes, isDetail: true),
            ],
            values.map { [.text("a, \"b\""), .estimate(interval), .number($0)] })
        #expect(!table.markdown.contains("d ("))
        let read = try PublishedTable(named: "t", file: "t.csv", text: table.csv)
        #expect(read.columns == ["name", "t_s", "t_s_low", "t_s_high", "d", "notes"])
        for (row, value) in values.enumerated() {
            #expect(try read.text(row, "name") == "a, \"b\"")
            #expect(try read.number(row, "t_s") == 12.34)
            #expect(try read.number(row, "t_s_low") == 12)
            #expect(try read.number(row, "t_s_high") == 12.881)
            #expect(try read.number(row, "d") == value)
        }
    }

    @Test func aTableWithoutRowsSaysWhy() {
        let table = ReportTable(id: "T3", title: "Table 3", absence: "Not in this run: r.h5 has no rows in 'ttft'.")
        #expect(table.markdown == "### Table 3\n\nNot in this run: r.h5 has no rows in 'ttft'.\n")
        #expect(table.plainText == "Table 3\nNot in this run: r.h5 has no rows in 'ttft'.\n")
        #expect(table.latex.contains("has no rows in 'ttft'"))
    }
}

extension Substring {
    fileprivate var trimmed: String { split(separator: " ").joined(separator: " ") }
}
