import Foundation

/// Where the labels of points go in a panel, so that they cover neither points nor each other. Lengths are in inches, from
/// the lower left corner.
struct LabelPlacement {
    struct Placed {
        enum Alignment: String {
            case left, center, right
        }
        /// Where the text is anchored, halfway up its height.
        var x: Double
        var y: Double
        var alignment: Alignment
        /// Is it so far from its point that a line leads to it?
        var isFar: Bool
    }

    private struct Box {
        var left: Double, right: Double, bottom: Double, top: Double

        func overlap(_ other: Box) -> Double {
            max(0, min(right, other.right) - max(left, other.left)) * max(0, min(top, other.top) - max(bottom, other.bottom))
        }

        /// What lies outside of a panel.
        func outside(width: Double, height: Double) -> Double {
            max(0, -left) + max(0, right - width) + max(0, -bottom) + max(0, top - height)
        }
    }

    private static let characterWidth = 0.0585
    private static let textHeight = 0.13
    private static let pointRadius = 0.05
    private static let distances = [0.08, 0.17, 0.28, 0.4, 0.55, 0.7, 0.9, 1.1]

    /// A place for each label, in order: the first ones get the best.
    /// - Parameters:
    ///   - others: points without a label.
    ///   - line: the corners of a line that labels should not cover.
    static func place(
        _ labels: [(text: String, x: Double, y: Double)], beside others: [(x: Double, y: Double)] = [], around line: [(x: Double, y: Double)] = [], width: Double,
        height: Double
    ) -> [Placed] {
        let strokes = zip(line, line.dropFirst()).flatMap { segment(from: $0, to: $1) }
        let points = (labels.map { ($0.x, $0.y) } + others).map { box($0, $1, 2 * pointRadius, 2 * pointRadius, .center) }
        var taken: [Box] = []
        return labels.enumerated().map { index, label in
            var best: (cost: Double, placed: Placed, box: Box)?
            for (rank, distance) in distances.enumerated() {
                for step in 0..<16 {
                    let angle = Double(step) * .pi / 8
                    let (x, y) = (label.x + distance * cos(angle), label.y + distance * sin(angle))
                    let alignment: Placed.Alignment = cos(angle) > 0.4 ? .left : cos(angle) < -0.4 ? .right : .center
                    let box = box(x, y, Double(label.text.count) * characterWidth, textHeight, alignment)
                    var cost = Double(rank) * 0.02 + 100 * box.outside(width: width, height: height)
                    for other in taken { cost += 50 * box.overlap(other) }
                    for (other, point) in points.enumerated() where other != index { cost += 20 * box.overlap(point) }
                    for stroke in strokes { cost += 20 * box.overlap(stroke) }
                    if cost < (best?.cost ?? .infinity) {
                        best = (cost, Placed(x: x, y: y, alignment: alignment, isFar: rank > 1), box)
                    }
                }
            }
            taken.append(best!.box)
            return best!.placed
        }
    }

    /// A line as many small boxes.
    private static func segment(from start: (x: Double, y: Double), to end: (x: Double, y: Double)) -> [Box] {
        (0...100).map { step -> Box in
            let share = Double(step) / 100
            let x = start.x + share * (end.x - start.x)
            let y = start.y + share * (end.y - start.y)
            return box(x, y, 0.03, 0.03, .center)
        }
    }

    private static func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ alignment: Placed.Alignment) -> Box {
        let left =
            switch alignment {
            case .left: x
            case .center: x - width / 2
            case .right: x - width
            }
        return Box(left: left, right: left + width, bottom: y - height / 2, top: y + height / 2)
    }
}
