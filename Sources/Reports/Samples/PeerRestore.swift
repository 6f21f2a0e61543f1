import Results

/// What the contenders of the restore comparison gave in one context, pass by pass.
struct PeerRestore {
    /// What is measured in seconds, in the order of a table.
    enum State: String, CaseIterable {
        case cold, hot, warm, restart, save, reload
    }

    struct Contender {
        let name: String
        let program: String
        let kv: String
        var version = ""
        var weights = ""
        /// By state, and there by pass.
        var seconds: [State: [Int: Double]] = [:]
        var failures: [State: [String]] = [:]
        var diskBytes: [Int: Double] = [:]
        var memoryBytes: [Int: Double] = [:]
        /// The larger of the two processes of a pass.
        var peakBytes: [Int: Double] = [:]
        /// Restores whose tokens were compared, those that gave the same, and the fewest tokens that one brought back.
        var compared = 0
        var same = 0
        var fewestHits: Int?

        var isOwn: Bool { program == "kvlab" }

        /// From the start of a new process to its first token, by pass.
        var startSeconds: [Int: Double] {
            let first = seconds[.restart] ?? [:]
            return (seconds[.reload] ?? [:]).reduce(into: [:]) { sums, load in
                if let restart = first[load.key] { sums[load.key] = load.value + restart }
            }
        }
    }

    let shape: String
    let layers: Int
    let context: Int
    let extensionTokens: Int
    let outputTokens: Int
    let threads: Int
    let isa: String
    /// kvlab's first, then by program and in the order of their first appearance by name.
    private(set) var contenders: [Contender] = []

    /// Every context of a run, by shape, layers and length.
    /// - Throws: ``ReportsError/missingColumn(table:column:kind:)``.
    static func all(_ table: ResultTable) throws -> [PeerRestore] {
        let shapes = try table.requiredStrings("shape")
        let layers = try table.requiredInts("layers")
        let contexts = try table.requiredInts("context_tokens")
        let extensions = try table.requiredInts("extension_tokens")
        let outputs = try table.requiredInts("output_tokens")
        let threads = try table.requiredInts("threads")
        let isas = try table.requiredStrings("isa")
        let reader = try RowReader(table)
        var all: [PeerRestore] = []
        for row in shapes.indices {
            let key = (shapes[row], layers[row], contexts[row])
            let index: Int
            if let found = all.firstIndex(where: { ($0.shape, $0.layers, $0.context) == key }) {
                index = found
            } else {
                index = all.count
                all.append(
                    PeerRestore(
                        shape: shapes[row], layers: layers[row], context: contexts[row], extensionTokens: extensions[row],
                        outputTokens: outputs[row], threads: threads[row], isa: isas[row]))
            }
            reader.read(row, into: &all[index].contenders)
        }
        for index in all.indices {
            all[index].contenders.sort { ($0.isOwn ? 0 : 1, $0.program, $0.name) < ($1.isOwn ? 0 : 1, $1.program, $1.name) }
        }
        return all.sorted { ($0.shape, $0.layers, $0.context) < ($1.shape, $1.layers, $1.context) }
    }

    private struct RowReader {
        let names, programs, kvs, weights, versions, states, failures: [String]
        let passes, hits, same, disk, memory, peaks: [Int]
        let seconds: [Double]

        init(_ table: ResultTable) throws {
            names = try table.requiredStrings("contender")
            programs = try table.requiredStrings("program")
            kvs = try table.requiredStrings("kv")
            weights = try table.requiredStrings("weights")
            versions = try table.requiredStrings("version")
            states = try table.requiredStrings("state")
            failures = try table.requiredStrings("failure")
            passes = try table.requiredInts("pass")
            hits = try table.requiredInts("hit_tokens")
            same = try table.requiredInts("same_tokens")
            disk = try table.requiredInts("disk_bytes")
            memory = try table.requiredInts("memory_bytes")
            peaks = try table.requiredInts("peak_rss_bytes")
            seconds = try table.requiredDoubles("seconds")
        }

        func read(_ row: Int, into contenders: inout [Contender]) {
            guard let state = State(rawValue: states[row]) else { return }
            if !contenders.contains(where: { $0.name == names[row] }) {
                contenders.append(Contender(name: names[row], program: programs[row], kv: kvs[row]))
            }
            let index = contenders.firstIndex { $0.name == names[row] }!
            let pass = passes[row]
            if failures[row].isEmpty {
                contenders[index].seconds[state, default: [:]][pass] = seconds[row]
            } else if contenders[index].failures[state]?.contains(failures[row]) != true {
                contenders[index].failures[state, default: []].append(failures[row])
            }
            if !versions[row].isEmpty { contenders[index].version = versions[row] }
            if !weights[row].isEmpty { contenders[index].weights = weights[row] }
            if disk[row] >= 0 { contenders[index].diskBytes[pass] = Double(disk[row]) }
            if memory[row] >= 0 { contenders[index].memoryBytes[pass] = Double(memory[row]) }
            if peaks[row] >= 0 {
                contenders[index].peakBytes[pass] = max(contenders[index].peakBytes[pass] ?? 0, Double(peaks[row]))
            }
            guard same[row] >= 0 else { return }
            contenders[index].compared += 1
            contenders[index].same += same[row]
            contenders[index].fewestHits = min(contenders[index].fewestHits ?? hits[row], hits[row])
        }
    }

    /// `of` ÷ `over` in every pass in which both have a number.
    static func ratios(_ of: [Int: Double], over: [Int: Double]) -> [Double] {
        of.sorted { $0.key < $1.key }.compactMap { pass, value in
            over[pass].flatMap { $0 > 0 ? value / $0 : nil }
        }
    }
}
