/// P1, Figure 5: what of each agent is cached over five phases, against computing each turn whole.
struct Figure05PhaseTimeline: FigureDefinition {
    let id = "F5"
    let title = "Figure 5. Caches of four agents over five phases"
    let needs = ["phases"]

    private static let held = "held in memory"
    private static let found = "found in the cache"
    private static let computed = "computed"
    private static let generated = "generated"

    func build(_ input: ReportInput) throws -> [Figure] {
        try input.turnBlocks("phases").filter(\.turns.haveTimes).flatMap { block in
            let contexts = Set(block.turns.map(\.contextTokens)).sorted()
            return contexts.compactMap { context -> Figure? in
                let own = block.turns.filter { $0.contextTokens == context }
                let kept = own.filter { $0.mode == "persistent" }
                guard let pass = kept.medianPass(by: { $0.reduce(0) { $0 + $1.totalSeconds } }) else { return nil }
                let name = contexts.count == 1 ? block.id : "\(block.id)-\(context)"
                let turns = own.filter { $0.pass == pass }
                let tokens = turns.map { $0.promptTokens + $0.outputTokens }.max() ?? 1
                let timeline = Timeline(
                    kinds: [
                        (Self.held, GnuplotScript.pale(GnuplotScript.blue)), (Self.found, GnuplotScript.blue),
                        (Self.computed, GnuplotScript.vermilion), (Self.generated, GnuplotScript.orange),
                    ],
                    panels: [
                        Self.panel("Each turn computed whole", turns.filter { $0.mode == "cold" }, keeps: false),
                        Self.panel(
                            "Each phase appended to the agent's cache", turns.filter { $0.mode == "persistent" },
                            keeps: true),
                    ].filter { !$0.bars.isEmpty },
                    laneHeight: Double(tokens), heightName: "tokens", laneInches: 0.42)
                return timeline.figure(
                    id: "\(id)-\(name)", title: "\(title): \(block.title)",
                    caption: """
                        \(block.turns.description) The pass whose persistent wall time is the median, as it was measured: \
                        what each turn found in its agent's cache, computed and generated, and what memory held between \
                        turns. Heights are tokens, a lane is \(NumberText.fixed(Double(tokens), decimals: 0)) of them. \
                        Dotted: phases begin. Scenes have \(context) tokens and are synthetic. \
                        \(input.provenance(block.turns.hardware))
                        """)
            }
        }
    }

    private static func panel(_ title: String, _ turns: [TurnSample], keeps: Bool) -> Timeline.Panel {
        let turns = turns.sorted { $0.order < $1.order }
        guard let origin = turns.first?.startSeconds else { return Timeline.Panel(title: title, lanes: []) }
        let end = turns.map { $0.startSeconds + $0.totalSeconds }.max()! - origin
        var panel = Timeline.Panel(title: title, lanes: orderedSet(turns.map(\.agent)))
        var phase = ""
        for (index, turn) in turns.enumerated() {
            let lane = panel.lanes.firstIndex(of: turn.agent)!
            let start = turn.startSeconds - origin
            let (first, last) = (start + turn.ttftSeconds, start + turn.totalSeconds)
            let (hit, prompt, all) = (
                Double(turn.hitTokens), Double(turn.promptTokens), Double(turn.promptTokens + turn.outputTokens)
            )
            if turn.state != phase {
                phase = turn.state
                panel.marks.append(.init(atSeconds: start, label: String(phase.prefix { $0 != " " })))
            }
            if keeps {
                let next = turns[(index + 1)...].first { $0.agent == turn.agent }.map { $0.startSeconds - origin } ?? end
                panel.bars.append(.init(lane: lane, kind: held, fromSeconds: last, toSeconds: next, high: all))
            }
            if hit > 0 { panel.bars.append(.init(lane: lane, kind: found, fromSeconds: start, toSeconds: last, high: hit)) }
            panel.bars += [
                .init(lane: lane, kind: computed, fromSeconds: start, toSeconds: last, low: hit, high: prompt),
                .init(lane: lane, kind: generated, fromSeconds: first, toSeconds: last, low: prompt, high: all),
            ]
        }
        return panel
    }
}
