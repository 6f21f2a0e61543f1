/// P1's perplexities: `table09_perplexity.csv`, Table 9.
struct PublishedPerplexity {
    /// One published row.
    struct Entry: Equatable {
        var fp16: Double
        var q4: Double
        /// As printed, from perplexities with more digits than those.
        var change: Double
    }

    /// By model.
    let entries: [String: Entry]

    init(_ published: PublishedNumbers) throws {
        let table = try published.table("table09_perplexity")
        var entries: [String: Entry] = [:]
        for row in 0..<table.rowCount {
            entries[try table.text(row, "model")] = Entry(
                fp16: try table.number(row, "fp16_ppl"), q4: try table.number(row, "q4_ppl"),
                change: try table.number(row, "delta_percent") / 100)
        }
        self.entries = entries
    }
}
