/// P1, Figure 6: questions and the experts that they go to, drawn from what was measured.
struct Figure06Routing: FigureDefinition {
    let id = "F6"
    let title = "Figure 6. Questions routed to experts"
    let needs = ["routing"]

    private static let load = "cache loaded from disk"
    private static let prefill = "prefill, to the first token"
    private static let decode = "decode"
    private static let phases = [("1", "Primed"), ("2", "Asked after a restart"), ("3", "Asked again")]

    func build(_ input: ReportInput) throws -> [Figure] {
        try input.turnBlocks("routing").filter(\.turns.haveTimes).flatMap { block in
            let contexts = Set(block.turns.map(\.contextTokens)).sorted()
            return contexts.compactMap { context -> Figure? in
                let own = block.turns.filter { $0.contextTokens == context }
                guard let pass = own.medianPass(by: { $0.reduce(0) { $0 + $1.totalSeconds } }) else { return nil }
                let turns = own.filter { $0.pass == pass }.sorted { $0.order < $1.order }
                let agents = orderedSet(turns.filter { $0.mode == "expert" }.map(\.agent)) + ["reporter"]
                let timeline = Timeline(
                    kinds: [
                        (Self.load, GnuplotScript.vermilion), (Self.prefill, GnuplotScript.blue),
                        (Self.decode, GnuplotScript.orange),
                    ],
                    panels: Self.phases.compactMap { number, name in
                        let part = turns.filter { $0.state.hasPrefix(number) }
                        return part.isEmpty ? nil : Self.panel(name, part, agents)
                    }, columns: 3, sharesScale: false, laneInches: 0.21)
                let name = contexts.count == 1 ? block.id : "\(block.id)-\(context)"
                return timeline.figure(
                    id: "\(id)-\(name)", title: "\(title): \(block.title)",
                    caption: """
                        \(block.turns.description) The pass whose time is the median, as it was measured; each panel has a \
                        scale of its own. Each expert reads up to \(context) tokens of its article; a question goes to two \
                        experts and then, with their answers, to the reporter; the first questions go to their first \
                        expert again. Dotted: a question begins. \(input.provenance(block.turns.hardware))
                        """)
            }
        }
    }

    private static func panel(_ title: String, _ turns: [TurnSample], _ agents: [String]) -> Timeline.Panel {
        var panel = Timeline.Panel(title: title, lanes: agents)
        let origin = turns[0].startSeconds
        var question = 0
        // Priming asks nobody; in the last panel every turn is a question of its own.
        var isNew = turns.contains { $0.hitTokens > 0 }
        let hasReporter = turns.contains { $0.mode == "reporter" }
        for turn in turns {
            let lane = agents.firstIndex(of: turn.agent)!
            let start = turn.startSeconds - origin
            if isNew {
                question += 1
                panel.marks.append(.init(atSeconds: start, label: "\(question)"))
            }
            isNew = question > 0 && (!hasReporter || turn.mode == "reporter")
            let (loaded, first) = (start + turn.exposedLoadSeconds, start + turn.ttftSeconds)
            if turn.exposedLoadSeconds > 0 {
                panel.bars.append(.init(lane: lane, kind: load, fromSeconds: start, toSeconds: loaded, high: 1))
            }
            panel.bars += [
                .init(lane: lane, kind: prefill, fromSeconds: loaded, toSeconds: first, high: 1),
                .init(lane: lane, kind: decode, fromSeconds: first, toSeconds: start + turn.totalSeconds, high: 1),
            ]
        }
        return panel
    }
}
