/// P1's median TTFTs: `table03_ttft.csv`, the numbers of Table 3 and of Figure 2.
struct PublishedTTFT {
    private struct Place: Hashable {
        var model: String
        var state: String
        var context: Int
    }

    private var seconds: [Place: Double] = [:]

    init(_ published: PublishedNumbers) throws {
        let table = try published.table("table03_ttft")
        for row in 0..<table.rowCount {
            let place = Place(
                model: try table.text(row, "model"), state: try table.text(row, "cache"),
                context: try table.integer(row, "context"))
            seconds[place] = try table.number(row, "ttft_ms") / 1000
        }
    }

    /// Published models, in the order of the paper where they are known.
    var models: [String] { PublishedModel.all.map(\.id).filter { !contexts($0).isEmpty } }

    /// Context lengths published for `model`, ascending; empty for a model that is not published.
    func contexts(_ model: String) -> [Int] {
        Set(seconds.keys.filter { $0.model == model }.map(\.context)).sorted()
    }

    /// Published median TTFT in seconds; `state` is "cold", "warm" or "hot".
    func ttft(_ model: String, _ state: String?, _ context: Int) -> Double? {
        state.flatMap { seconds[Place(model: model, state: $0, context: context)] }
    }

    /// Cold ÷ `state`.
    func speedUp(_ model: String, _ state: String?, _ context: Int) -> Double? {
        guard let cold = ttft(model, "cold", context), let other = ttft(model, state, context) else { return nil }
        return cold / other
    }
}
