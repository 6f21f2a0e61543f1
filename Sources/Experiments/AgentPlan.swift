import Models
import Results

/// The cells of an experiment that serves agents: every shape, scheme, context and pass, in a seeded random order, shapes
/// one after another.
struct AgentPlan {
    struct Entry {
        let shape: String
        let scheme: String
        let context: Int
        let pass: Int
        let order: Int
    }

    /// A model that is measured: a shape, or a checkpoint by its path.
    struct Model {
        let name: String
        /// The longest context in tokens.
        let contextLimit: Int
    }

    let cells: [Cell]
    let seed: UInt64
    private let entries: [String: Entry]

    /// Reads the settings `shapes`, `schemes`, `contexts`, `passes` and `seed`.
    /// - Parameter extra: tokens that come on top of a context.
    init(_ experiment: String, _ settings: Settings, _ laboratory: Laboratory, extra: Int) throws {
        try self.init(
            experiment, settings, models: Self.shapes(settings, laboratory),
            contexts: settings.ints("contexts", in: 2...10_000_000), named: "contexts", extra: extra)
    }

    /// The models of the setting `shapes`.
    static func shapes(_ settings: Settings, _ laboratory: Laboratory) throws -> [Model] {
        try settings.strings("shapes", oneOf: laboratory.shapeNames).map {
            Model(name: $0, contextLimit: try laboratory.configuration(shape: $0).contextLimit)
        }
    }

    /// Reads the settings `schemes`, `passes` and `seed`.
    /// - Parameter key: the setting that the contexts come from.
    init(
        _ experiment: String, _ settings: Settings, models: [Model], contexts: [Int], named key: String, extra: Int
    ) throws {
        let schemes = try settings.strings("schemes")
        let passes = try settings.int("passes", in: 1...1000)
        seed = UInt64(try settings.int("seed", in: 0...Int.max))
        var generator = SplitMix64(seed: seed)
        var cells: [Cell] = []
        var entries: [String: Entry] = [:]
        for model in models {
            let (shape, limit) = (model.name, model.contextLimit)
            if let long = contexts.first(where: { $0 + extra > limit }) {
                throw settings.bad(
                    key, "holds \(long), which with \(extra) new tokens is more than the \(limit) that \(shape) takes")
            }
            let all = schemes.flatMap { scheme in
                contexts.flatMap { context in (1...passes).map { (scheme, context, $0) } }
            }
            for (scheme, context, pass) in all.shuffled(using: &generator) {
                let name = "\(experiment)/\(shape)/\(scheme)/\(context)/pass \(pass)"
                entries[name] = Entry(shape: shape, scheme: scheme, context: context, pass: pass, order: cells.count)
                cells.append(Cell(name: name, cost: Double(context)))
            }
        }
        self.cells = cells
        self.entries = entries
    }

    subscript(cell: Cell) -> Entry { entries[cell.name]! }

    /// A generator of the cell's own.
    func generator(_ entry: Entry) -> SplitMix64 { SplitMix64(seed: seed &+ UInt64(entry.order) &* 7919) }
}
