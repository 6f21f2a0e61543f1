import Results

/// Tokens of an agent that is evicted and loaded while it speaks, against one that never is.
struct TableContinuation: TableDefinition {
    let id = "continuation"
    let title = "Quality. Evicted and loaded while it speaks"
    let needs = ["continuation"]

    func build(_ input: ReportInput) throws -> [ReportTable] {
        let table = input.results.table("continuation")!
        let (models, schemes) = (try table.requiredStrings("model"), try table.requiredStrings("scheme"))
        let counts = try ["prompt_tokens", "tokens", "evictions", "distinct_tokens", "same_tokens"].map {
            try table.requiredInts($0)
        }
        let difference = try table.requiredDoubles("largest_difference")
        let equal = try table.requiredInts("resaved_equal")
        let compute = orderedSet(try table.requiredStrings("compute")).joined(separator: " and ")
        let good = models.indices.allSatisfy { counts[4][$0] == counts[1][$0] && difference[$0] == 0 && equal[$0] == 1 }
        return [
            ReportTable(
                id: id, title: title,
                caption: """
                    Two agents read the same text and go on greedily, each on its own tokens; the cache of one is saved, evicted \
                    and loaded again and again. \(compute.prefix(1).uppercased() + compute.dropFirst()) arithmetic. \
                    \(input.provenance())
                    """,
                columns: [
                    .init("Model", key: "model", .text), .init("Cache", key: "scheme", .text),
                    .init("Read", key: "prompt_tokens", .count), .init("Spoken", key: "tokens", .count),
                    .init("Different tokens among them", key: "distinct_tokens", .count),
                    .init("Evictions", key: "evictions", .count), .init("Same tokens", key: "same_tokens", .count),
                    .init("Largest Δlogit", key: "largest_difference", .plain),
                    .init("Saved again: same bytes", key: "resaved_equal", .text),
                ],
                rows: models.indices.map { row in
                    [
                        .text(models[row]), .text(schemes[row]), .count(counts[0][row]), .count(counts[1][row]),
                        .count(counts[3][row]), .count(counts[2][row]), .count(counts[4][row]), .number(difference[row]),
                        .text(equal[row] == 1 ? "yes" : "no"),
                    ]
                },
                notes: good
                    ? ["Every token and every logit was the same."]
                    : ["Not every token or logit was the same, which is an error of the program."])
        ]
    }
}
