import Results

extension KLDExperiment {
    /// One row for each model, text, scheme and window.
    public static let schema = TableSchema(
        name: "kld", title: "Predictions with a cache scheme against an unquantized cache, by window",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("weights", .string, "What the weights are in memory"),
            .init("text", .string, "Text, by its file name"),
            .init("text_sha256", .string, "SHA-256 of the text"),
            .init("base_scheme", .string, "Cache scheme of the base"),
            .init("scheme", .string, "Cache scheme compared with the base; every position reads what it stores"),
            .init("compute", .string, "Compute path of the scheme's side; the base is on the reference path"),
            .init("window", .int, units: "1", "Window within the text, from 0"),
            .init("window_tokens", .int, units: "1", "Tokens of a window, each window from an empty cache"),
            .init("stride_tokens", .int, units: "1", "Tokens that count in a window after the first"),
            .init("tokens_scored", .int, units: "1", "Tokens that count"),
            .init("kld_sum", .double, units: "1", "Sum of KL(base, scheme) in nats"),
            .init("base_loss_sum", .double, units: "1", "Sum of -ln p of the tokens with the base's cache"),
            .init("loss_sum", .double, units: "1", "Sum of -ln p of the tokens with the scheme's cache"),
            .init("agreements", .int, units: "1", "Tokens at which both find the same token the most likely"),
            .init("restored_tokens", .int, units: "1", "Tokens computed again on a saved, evicted and loaded cache"),
            .init("restored_difference", .double, units: "1", "Largest difference of a logit there from in process"),
            .init(
                "injected_difference", .double, units: "1",
                "Largest difference of a logit there, with the cache exported and imported as another agent's"),
            .init("resaved_equal", .int, units: "1", "1 when saving the loaded cache wrote the same bytes; -1: not done"),
        ])

    /// One row for each token that counts.
    public static let tokenSchema = TableSchema(
        name: "kld_tokens", title: "Predictions with a cache scheme against an unquantized cache, by token",
        columns: [
            .init("model", .string, "Checkpoint"),
            .init("text", .string, "Text, by its file name"),
            .init("scheme", .string, "Cache scheme"),
            .init("compute", .string, "Compute path of the scheme's side"),
            .init("window", .int, units: "1", "Window within the text, from 0"),
            .init("position", .int, units: "1", "Position of the token within the window"),
            .init("kld", .double, units: "1", "KL(base, scheme) in nats"),
            .init("delta_p", .double, units: "1", "Change of the probability of the token that came"),
        ])
}
