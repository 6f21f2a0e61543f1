/// How far each experiment of a run is: one line for each, and one for the cell that is being run.
struct ProgressGrid {
    private struct Line {
        var name: String
        var finished: Int
        var total: Int
        var seconds = 0.0
    }

    private var lines: [Line] = []

    /// - Parameter cells: all of the run, and whether they were finished before. An experiment is what a cell's name begins with.
    init(_ cells: [(name: String, isFinished: Bool)]) {
        for cell in cells {
            let name = Self.experiment(cell.name)
            let index =
                lines.firstIndex { $0.name == name }
                ?? {
                    lines.append(Line(name: name, finished: 0, total: 0))
                    return lines.count - 1
                }()
            lines[index].total += 1
            lines[index].finished += cell.isFinished ? 1 : 0
        }
    }

    var height: Int { lines.count }

    mutating func finish(_ cell: String, seconds: Double) {
        guard let index = lines.firstIndex(where: { $0.name == Self.experiment(cell) }) else { return }
        lines[index].finished += 1
        lines[index].seconds += seconds
    }

    /// One text for each experiment: "ttft      ████░░░░░░   6/15  1.2 min".
    func texts(style: TerminalStyle, columns: Int, duration: (Double) -> String) -> [String] {
        let nameWidth = lines.map(\.name.count).max() ?? 0
        let countWidth = lines.map { "\($0.total)".count }.max() ?? 1
        let barWidth = min(30, max(5, columns - nameWidth - 2 * countWidth - 16))
        return lines.map { line in
            let filled = barWidth * line.finished / max(1, line.total)
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: barWidth - filled)
            let count = "\(line.finished)"
            let shown = String(repeating: " ", count: countWidth - count.count) + "\(count)/\(line.total)"
            let isDone = line.finished == line.total
            return line.name + String(repeating: " ", count: nameWidth - line.name.count) + "  "
                + style.paint(bar, isDone ? .green : .bold) + "  " + shown
                + (line.seconds > 0 ? "  " + style.paint(duration(line.seconds), .dim) : "")
        }
    }

    private static func experiment(_ cell: String) -> String { cell.split(separator: "/").first.map(String.init) ?? cell }
}
