import Foundation

/// P1, Figure 3: two agents, the second some time after the first, served one after the other and together.
struct Figure03Timeline: FigureDefinition {
    let id = "F3-timeline"
    let title = "Figure 3. Staggered arrivals, one after the other and together"
    let needs = ["staggered"]

    func build(_ input: ReportInput) throws -> [Figure] {
        try input.turnBlocks("staggered").filter(\.turns.haveTimes).map { block in
            var timeline = Timeline(
                kinds: [
                    ("waits", GnuplotScript.pale(GnuplotScript.grey)), ("prefill, to the first token", GnuplotScript.blue),
                    ("decode", GnuplotScript.orange),
                ], panels: [])
            let contexts = Set(block.turns.map(\.contextTokens)).sorted()
            for context in contexts {
                for mode in ["sequential", "batched"] {
                    let all = block.turns.filter { $0.contextTokens == context && $0.mode == mode }
                    guard let pass = all.medianPass(by: { $0[0].wallSeconds }) else { continue }
                    let words = mode == "sequential" ? "One after the other" : "Together"
                    let name = contexts.count == 1 ? words : "\(words), \(NumberText.context(context))"
                    timeline.panels.append(Self.panel(name, all.filter { $0.pass == pass }))
                }
            }
            return timeline.figure(
                id: "\(id)-\(block.id)", title: "\(title): \(block.title)",
                caption: """
                    \(block.turns.description) Two agents with nothing cached, B after A; of each way to serve them the \
                    pass whose wall time is the median, as it was measured. A bar starts when its agent asks; served \
                    together, the prefill of one and the decode of the other share steps. P1, Figure 3, shows the same \
                    on an Apple M4 Pro; its times are in table F3. \(input.provenance(block.turns.hardware))
                    """)
        }
    }

    private static func panel(_ title: String, _ turns: [TurnSample]) -> Timeline.Panel {
        var panel = Timeline.Panel(title: title, lanes: ["A", "B"])
        for turn in turns {
            guard let lane = panel.lanes.firstIndex(of: turn.agent) else { continue }
            let start = turn.startSeconds
            let (begun, first, end) = (start + turn.queuedSeconds, start + turn.ttftSeconds, start + turn.totalSeconds)
            panel.bars += [
                .init(lane: lane, kind: "waits", fromSeconds: start, toSeconds: begun, high: 0.35),
                .init(lane: lane, kind: "prefill, to the first token", fromSeconds: begun, toSeconds: first, high: 1),
                .init(lane: lane, kind: "decode", fromSeconds: first, toSeconds: end, high: 1),
            ]
            let unit = Quantity.seconds.unit(for: [turn.ttftSeconds])
            panel.notes.append(
                .init(
                    lane: lane, atSeconds: end,
                    text: "TTFT \(NumberText.short(turn.ttftSeconds * unit.scale)) \(unit.name)"))
        }
        return panel
    }
}
