import Results

extension HopsExperiment {
    private static let head: [ColumnSchema] = [
        .init("cell", .string, "Cell of the run"),
        .init("model", .string, "Checkpoint"),
        .init("same_shape_as", .string, "Shape with the same caches and vocabulary; empty: none"),
        .init("task", .string, "Task, its test split; gsm8k: problems of that file"),
        .init("document", .int, units: "1", "Document of the task"),
        .init("moves", .int, units: "1", "Receivers take the context at a position drawn from 0 to this"),
        .init("keys", .string, "Keys on the cards: rotated, or with their rotation taken back"),
        .init("handed_tokens", .int, units: "1", "Tokens that are handed on"),
    ]

    /// One row for each model, answer, controller, budget and number of handoffs.
    public static let schema = TableSchema(
        name: "hops", title: "Answers after handoffs, by the controller of the card's precisions",
        columns: head + [
            .init("answer", .int, units: "1", "Answer of the document"),
            .init("controller", .string, "What chose the tokens' precisions; none: not handed on"),
            .init("budget_bits", .double, units: "1", "Bits per element that a card may take, scales included; 0: no card"),
            .init("hops", .int, units: "1", "Handoffs before the question"),
            .init("stored_bits", .double, units: "1", "Bits per element of the last card, scales included"),
            .init("payload_bytes", .int, units: "byte", "Keys and values of the last card"),
            .init("card_bytes", .int, units: "byte", "The last card as a file"),
            .init("right", .int, units: "1", "1 when every token of the answer is the most likely one; gsm8k: the number"),
            .init("tokens_scored", .int, units: "1", "Tokens of the answer whose predictions were compared; gsm8k: 0"),
            .init("kld_sum", .double, units: "1", "Sum over them of KL(not handed on, handed on) in nats"),
            .init(
                "agreements", .int, units: "1",
                "Tokens at which both find the same token the most likely; gsm8k: with which both answers begin"),
            .init("generated_tokens", .int, units: "1", "gsm8k: tokens that the last agent generated; else 0"),
        ])

    /// One row for each model, document, rung of the ladder and number of handoffs.
    public static let requantizationSchema = TableSchema(
        name: "requantization", title: "The same keys and values encoded again and again",
        columns: head + [
            .init("scheme", .string, "Scheme of every token of every card"),
            .init("receiver_scheme", .string, "Scheme of the agents' caches, between two cards"),
            .init("hops", .int, units: "1", "Handoffs"),
            .init("payload_bytes", .int, units: "byte", "Keys and values of the card"),
            .init("changed_bytes", .int, units: "byte", "Of them, those that differ from the card before; -1: there is none"),
            .init("tokens_scored", .int, units: "1", "Tokens of answers"),
            .init("kld_sum", .double, units: "1", "Sum over them of KL(not handed on, handed on) in nats"),
        ])
}
