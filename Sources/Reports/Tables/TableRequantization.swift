import Results

/// Does a cache that is encoded, read and encoded again stay what it was?
struct TableRequantization: TableDefinition {
    let id = "requantization"
    let title = "Encoding again, hop after hop"
    let needs = ["requantization"]

    private struct Place: Hashable {
        var model: String
        var scheme: String
        var moves: Int
    }

    private struct Hop {
        var bytes = 0
        /// nil where no card came before.
        var changed: Int?
        var kldSum = 0.0
        var tokens = 0
    }

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let table = input.results.table("requantization")!
        let (models, schemes) = (try table.requiredStrings("model"), try table.requiredStrings("scheme"))
        let (keys, receivers) = (try table.requiredStrings("keys"), try table.requiredStrings("receiver_scheme"))
        let (moves, hops) = (try table.requiredInts("moves"), try table.requiredInts("hops"))
        let (bytes, changed) = (try table.requiredInts("payload_bytes"), try table.requiredInts("changed_bytes"))
        let (tokens, kld) = (try table.requiredInts("tokens_scored"), try table.requiredDoubles("kld_sum"))
        var series: [Place: [Int: Hop]] = [:]
        let places = models.indices.map { Place(model: models[$0], scheme: schemes[$0], moves: moves[$0]) }
        for (row, place) in places.enumerated() {
            var hop = series[place, default: [:]][hops[row]] ?? Hop()
            hop.bytes += bytes[row]
            if changed[row] >= 0 { hop.changed = (hop.changed ?? 0) + changed[row] }
            hop.kldSum += kld[row]
            hop.tokens += tokens[row]
            series[place, default: [:]][hops[row]] = hop
        }
        let order = orderedSet(places)
        let last = hops.max()!
        return orderedSet(models).map { model in
            let own = order.filter { $0.model == model }.sorted { ($0.moves, rank($0, order)) < ($1.moves, rank($1, order)) }
            return ReportTable(
                id: "\(id)-\(fileName(model))", title: "\(title): \(model)",
                caption: """
                    A context is encoded in one scheme, read into a cache of \(receivers[0]) and encoded again, handoff after \
                    handoff, in place or each time at another position (keys \(keys[0])). Changed: bytes of keys and values that \
                    differ from the card before. KLD in nats from the cache that was not handed on, at the answers' tokens. \
                    \(input.provenance())
                    """,
                columns: Self.columns(last), rows: own.map { row($0, series[$0]!, last) })
        }
    }

    private func rank(_ place: Place, _ order: [Place]) -> Int { order.firstIndex(of: place)! }

    private static func columns(_ last: Int) -> [ReportTable.Column] {
        [
            .init("Scheme", key: "scheme", .text),
            .init("Positions", key: "moves", .text),
            .init("Changed by the 2nd encoding", key: "changed_2", .share),
            .init("by the 3rd", key: "changed_3", .share),
            .init("by encoding \(last)", key: "changed_last", .share),
            .init("KLD, 1 hop", key: "kld_first", .plain),
            .init("KLD, \(last) hops", key: "kld_last", .plain),
            .init("Stays the same from", key: "stable", .text),
        ]
    }

    private func row(_ place: Place, _ hops: [Int: Hop], _ last: Int) -> [ReportTable.Cell] {
        let absent = ReportTable.Cell.missing("no such handoff in this run")
        func changed(_ hop: Int) -> ReportTable.Cell {
            guard let found = hops[hop], let bytes = found.changed else { return absent }
            return .number(Double(bytes) / Double(found.bytes))
        }
        func kld(_ hop: Int) -> ReportTable.Cell { hops[hop].map { .number($0.kldSum / Double($0.tokens)) } ?? absent }
        let moving = hops.filter { ($0.value.changed ?? 0) > 0 }.keys.max()
        let stable = moving == last ? "never" : "encoding \(moving ?? 1)"
        return [
            .text(place.scheme), .text(place.moves == 0 ? "the same" : "0 to \(place.moves)"), changed(2), changed(3), changed(last),
            kld(1), kld(last), .text(stable),
        ]
    }
}
