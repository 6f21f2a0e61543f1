import Results

extension SchemesExperiment {
    /// One row for each model and scheme: what is stored, and why measuring stopped.
    public static let schema = TableSchema(
        name: "schemes", title: "Cache schemes side by side",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("weights", .string, "What the weights are in memory"),
            .init("base_scheme", .string, "Cache scheme that the others are compared with"),
            .init("scheme", .string, "Cache scheme, as asked for"),
            .init("active_scheme", .string, "Cache scheme that the saved cache names"),
            .init("tokens", .int, units: "1", "Tokens of the cache whose bytes were counted"),
            .init("stored_bytes", .int, units: "byte", "Bytes of that cache in memory, scales and residual windows among them"),
            .init("elements", .int, units: "1", "Elements of keys and values that these bytes hold"),
            .init("encoded_bits", .double, units: "bit", "Bits of an element of an encoded row, scales among them"),
            .init("file_bytes", .int, units: "byte", "Bytes of the saved cache, indexes and checksums among them"),
            .init("relative_interval", .double, units: "1", "Width of the interval of the mean KL divergence, over the mean, that was asked for"),
            .init("seconds_allowed", .double, units: "s", "Time for the windows"),
            .init("stopped_by", .string, "interval: narrow enough; time: used up; text: no window left"),
            .init("windows", .int, units: "1", "Windows that were measured"),
            .init("seconds", .double, units: "s", "Time that the windows took"),
            .init("problem", .string, "Why the scheme has no other rows; empty where it has"),
        ])

    /// One row for each model, scheme and window.
    public static let windowsSchema = TableSchema(
        name: "schemes_windows", title: "Predictions with a cache scheme against the base's, by window",
        columns: [
            .init("model", .string, "Checkpoint"),
            .init("text", .string, "Text, by its file name"),
            .init("text_sha256", .string, "SHA-256 of the text"),
            .init("base_scheme", .string, "Cache scheme of the base"),
            .init("scheme", .string, "Cache scheme compared with the base; every position reads what it stores"),
            .init("compute", .string, "Compute path of the scheme's side; the base is on the reference path"),
            .init("draw", .int, units: "1", "Place of the window in the order of all, from 0"),
            .init("window", .int, units: "1", "Window within the text, from 0"),
            .init("window_tokens", .int, units: "1", "Tokens of a window, each window from an empty cache"),
            .init("stride_tokens", .int, units: "1", "Tokens that count in a window after a text's first"),
            .init("tokens_scored", .int, units: "1", "Tokens that count"),
            .init("kld_sum", .double, units: "1", "Sum of KL(base, scheme) in nats"),
            .init("base_loss_sum", .double, units: "1", "Sum of -ln p of the tokens with the base's cache"),
            .init("loss_sum", .double, units: "1", "Sum of -ln p of the tokens with the scheme's cache"),
            .init("agreements", .int, units: "1", "Tokens at which both find the same token the most likely"),
            .init("restored_tokens", .int, units: "1", "Tokens computed again on a saved, evicted and loaded cache"),
            .init("restored_difference", .double, units: "1", "Largest difference of a logit there from in process"),
            .init("resaved_equal", .int, units: "1", "1 when saving the loaded cache wrote the same bytes"),
        ])

    /// One row for each token that counts.
    public static let tokensSchema = TableSchema(
        name: "schemes_tokens", title: "Predictions with a cache scheme against the base's, by token",
        columns: [
            .init("model", .string, "Checkpoint"),
            .init("scheme", .string, "Cache scheme"),
            .init("compute", .string, "Compute path of the scheme's side"),
            .init("draw", .int, units: "1", "Place of the window in the order of all, from 0"),
            .init("position", .int, units: "1", "Position of the token within the window"),
            .init("kld", .double, units: "1", "KL(base, scheme) in nats"),
            .init("delta_p", .double, units: "1", "Change of the probability of the token that came"),
        ])

    /// One row for each answer.
    public static let answersSchema = TableSchema(
        name: "schemes_answers", title: "Exact answers with a cache scheme",
        columns: [
            .init("model", .string, "Checkpoint"),
            .init("scheme", .string, "Cache scheme; every position reads what it stores"),
            .init("task", .string, "Task, its test split"),
            .init("seed", .int, units: "1", "Seed of the documents"),
            .init("document", .int, units: "1", "Document of the seed"),
            .init("answer", .int, units: "1", "Answer of the document"),
            .init("right", .int, units: "1", "1 when every token of the answer is the most likely one"),
        ])

    /// One row for each pass and scheme.
    public static let speedSchema = TableSchema(
        name: "schemes_speed", title: "Speed of cache schemes",
        columns: [
            .init("cell", .string, "Cell of the run"),
            .init("model", .string, "Checkpoint"),
            .init("weights", .string, "What the weights are in memory"),
            .init("scheme", .string, "Cache scheme, read back from the layout"),
            .init("compute", .string, "Compute path of the decode steps"),
            .init("threads", .int, units: "1", "Threads of the decode steps; rows are stored and read on one"),
            .init("pass", .int, units: "1", "Pass"),
            .init("place", .int, units: "1", "Place of the scheme in the random order of the pass"),
            .init("depth", .int, units: "1", "Tokens in the cache before the decode steps"),
            .init("generated", .int, units: "1", "Decode steps"),
            .init("encode_elements_per_second", .double, units: "1/s", "Elements of keys and values stored"),
            .init("decode_elements_per_second", .double, units: "1/s", "Elements of keys and values read back as floats"),
            .init("tokens_per_second", .double, units: "1/s", "Decode steps"),
        ])
}
