import Results

/// What the contenders of one test gave, pass by pass.
struct PeerSpeed {
    struct Contender {
        let name: String
        let program: String
        /// Tokens per second by pass.
        var samples: [Int: Double] = [:]
        /// Different reasons why there is no number, in the contender's words.
        var failures: [String] = []
    }

    struct Target {
        let of: String
        let over: String
        let atLeast: Double
    }

    let test: String
    let shape: String
    let layers: Int
    /// "prefill 512", "decode 32 at 16K"
    let work: String
    let threads: Int
    let isa: String
    /// In the order of the rows' first appearance, kvlab's first.
    private(set) var contenders: [Contender] = []
    var targets: [Target] = []

    /// Every test of a run, in the order of its rows.
    /// - Throws: ``ReportsError/missingColumn(table:column:kind:)``.
    static func all(_ table: ResultTable, targets: ResultTable?) throws -> [PeerSpeed] {
        let tests = try table.requiredStrings("test")
        let shapes = try table.requiredStrings("shape")
        let layers = try table.requiredInts("layers")
        let kinds = try table.requiredStrings("kind")
        let tokens = try table.requiredInts("tokens")
        let depths = try table.requiredInts("depth_tokens")
        let names = try table.requiredStrings("contender")
        let programs = try table.requiredStrings("program")
        let passes = try table.requiredInts("pass")
        let speeds = try table.requiredDoubles("tokens_per_second")
        let failures = try table.requiredStrings("failure")
        let threads = try table.requiredInts("threads")
        let isas = try table.requiredStrings("isa")
        var all: [PeerSpeed] = []
        for row in tests.indices {
            let index: Int
            if let found = all.firstIndex(where: { $0.test == tests[row] }) {
                index = found
            } else {
                index = all.count
                let depth = depths[row] > 0 ? " at \(NumberText.context(depths[row]))" : ""
                all.append(
                    PeerSpeed(
                        test: tests[row], shape: shapes[row], layers: layers[row],
                        work: "\(kinds[row]) \(NumberText.context(tokens[row]))\(depth)", threads: threads[row],
                        isa: isas[row]))
            }
            all[index].add(names[row], programs[row], pass: passes[row], speeds[row], failures[row])
        }
        for index in all.indices { all[index].contenders.sort { ($0.program, $0.name) < ($1.program, $1.name) } }
        if let targets { try all.take(targets) }
        return all
    }

    private mutating func add(_ name: String, _ program: String, pass: Int, _ speed: Double, _ failure: String) {
        if !contenders.contains(where: { $0.name == name }) {
            contenders.append(Contender(name: name, program: program))
        }
        let index = contenders.firstIndex { $0.name == name }!
        if failure.isEmpty {
            contenders[index].samples[pass] = speed
        } else if !contenders[index].failures.contains(failure) {
            contenders[index].failures.append(failure)
        }
    }

    /// The ratio of two contenders in every pass in which both have a number.
    func ratios(of: Contender, over: Contender) -> [Double] {
        of.samples.sorted { $0.key < $1.key }.compactMap { pass, speed in over.samples[pass].map { speed / $0 } }
    }
}

extension [PeerSpeed] {
    fileprivate mutating func take(_ table: ResultTable) throws {
        let tests = try table.requiredStrings("test")
        let of = try table.requiredStrings("of")
        let over = try table.requiredStrings("over")
        let atLeast = try table.requiredDoubles("at_least")
        for row in tests.indices {
            guard let index = firstIndex(where: { $0.test == tests[row] }) else { continue }
            self[index].targets.append(PeerSpeed.Target(of: of[row], over: over[row], atLeast: atLeast[row]))
        }
    }
}
