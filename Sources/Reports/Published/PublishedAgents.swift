/// P1's agents per budget: `table02_14_capacity.csv`, the numbers of Tables 2 and 14.
struct PublishedAgents {
    /// One published row.
    struct Entry: Equatable {
        var model: String
        var context: Int
        var fp16: Int
        var q4: Int
    }

    /// P1 states 10.2 GB; its Gemma rows need 10.2 GiB, its other rows 10,200 MiB.
    static let budgets = ["10.2 GiB", "10200 MiB"]

    /// In the order of the file.
    let entries: [Entry]

    init(_ published: PublishedNumbers) throws {
        let table = try published.table("table02_14_capacity")
        entries = try (0..<table.rowCount).map { row in
            Entry(
                model: try table.text(row, "model"), context: try table.integer(row, "context"),
                fp16: try table.integer(row, "agents_fp16"), q4: try table.integer(row, "agents_q4"))
        }
    }

    /// The published agents that `row` must reproduce; nil for scaled shapes and other budgets.
    func agents(_ row: CapacityRow) -> Int? { row.isAsPublished ? comparable(row) : nil }

    /// The published agents at the context, the budget and the scheme of `row`, in whatever way its caches are kept; nil
    /// for scaled shapes and other budgets.
    func comparable(_ row: CapacityRow) -> Int? {
        guard Self.budgets.contains(row.budgetLabel),
            let model = PublishedModel.fullSize(shape: row.shape),
            let entry = entries.first(where: { $0.model == model.id && $0.context == row.contextTokens })
        else { return nil }
        switch row.scheme {
        case "fp16": return entry.fp16
        case PublishedModel.scheme: return entry.q4
        default: return nil
        }
    }
}
