import Foundation
import Results

/// How often a fact is recalled against how far back it stands: a panel for each model, a line for each cache scheme.
struct FigureRecallDistance: FigureDefinition {
    let id = "F-recall-distance"
    let title = "Recall against distance"
    let needs = ["tasks"]

    /// Parts of the distances, with as many answers each.
    private static let parts = 5

    private struct Answer {
        var distance: Int
        var isRight: Bool
    }

    func build(_ input: ReportInput) throws -> [Figure] {
        guard let table = input.results.table("tasks") else { return [] }
        let (models, schemes) = (try table.requiredStrings("model"), try table.requiredStrings("scheme"))
        let (tasks, distances) = (try table.requiredStrings("task"), try table.requiredInts("distance_bytes"))
        let right = try table.requiredInts("right")
        let rows = tasks.indices.filter { tasks[$0] == "recall" && distances[$0] > 0 }
        guard !rows.isEmpty else { return [] }
        let panels = orderedSet(rows.map { models[$0] }), lines = orderedSet(rows.map { schemes[$0] })
        var data = TabSeparated(columns: ["panel", "model", "scheme", "distance_bytes", "right", "low", "high", "answers"])
        for (panel, model) in panels.enumerated() {
            for scheme in lines {
                let own = rows.filter { models[$0] == model && schemes[$0] == scheme }
                    .map { Answer(distance: distances[$0], isRight: right[$0] == 1) }.sorted { $0.distance < $1.distance }
                for part in 0..<Self.parts {
                    let answers = own[own.count * part / Self.parts..<own.count * (part + 1) / Self.parts]
                    let successes = answers.count { $0.isRight }
                    guard let interval = Statistics.wilsonInterval(successes: successes, of: answers.count) else { continue }
                    data.append([
                        .count(panel), .text(model), .text(scheme),
                        .number(Statistics.median(answers.map { Double($0.distance) })),
                        .number(Double(successes) / Double(answers.count)), .number(interval.lower), .number(interval.upper),
                        .count(answers.count),
                    ])
                }
            }
        }
        return [
            Figure(
                id: id, title: title,
                caption: """
                    Share of right answers of the task recall by the bytes of text between a fact and the answer: \(Self.parts) \
                    parts with as many answers each, at their median, with Wilson's 95 % interval. \(input.provenance())
                    """,
                data: data.text, script: script(panels, lines).text)
        ]
    }

    private func script(_ panels: [String], _ schemes: [String]) -> GnuplotScript {
        let legend = FigureLegend(
            entries: schemes.enumerated().map {
                .init(label: $1, colour: FigureDrift.colour($0), sample: .line(pointType: 7, dashed: false))
            })
        let grid = PanelGrid(count: panels.count, legend: legend)
        var script = GnuplotScript(id: id, title: title, grid: grid)
        script.definitions = [#"of(p, name) = column("panel") == p && strcol("scheme") eq name"#]
        for (panel, model) in panels.enumerated() {
            let elements = schemes.enumerated().map { index, scheme in
                script.element(
                    where: "of(\(panel), \(GnuplotScript.field(scheme)))", #"column("distance_bytes")"#,
                    #"(100 * column("right"))"#, #"(100 * column("low"))"#, #"(100 * column("high"))"#,
                    style: "yerrorlines linecolor rgb \"\(FigureDrift.colour(index))\" linewidth 1.2 pointtype 7 pointsize 0.4")
            }
            script.panels.append(
                [
                    "set title \(GnuplotScript.string(model)) offset 0,-0.4",
                    #"set xlabel "Bytes between fact and answer" offset 0,0.3"#, grid.yLabel(panel, "Right answers (%)"),
                    "set xtics auto", "set ytics auto",
                ] + ["plot [0:*] [0:100] \\\n  " + elements.joined(separator: ", \\\n  ")])
        }
        return script
    }
}
