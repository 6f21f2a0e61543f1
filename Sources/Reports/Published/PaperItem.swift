/// A table or figure of the papers, and whether a program can reproduce it at all.
struct PaperItem: Equatable {
    var id: String
    var title: String
    /// Definitions of ``tableDefinitions`` and ``figureDefinitions`` that answer it.
    var answeredBy: [String]
    /// Why no program can, where none can.
    var reason: String?

    init(_ id: String, _ title: String, answeredBy: [String] = [], reason: String? = nil) {
        self.id = id
        self.title = title
        self.answeredBy = answeredBy.isEmpty ? [id] : answeredBy
        self.reason = reason
    }

    /// What the papers show, in their order: P1 (arXiv 2603.04428), then P2 (arXiv 2605.03884).
    static let all = [
        PaperItem("T1", "edge devices"),
        PaperItem("T2", "agents per budget"),
        PaperItem("T3", "TTFT cold, warm, hot"),
        PaperItem("T4", "batch 1 against batch 2"),
        PaperItem("T5", "against a peer with FP16 prefix caching", answeredBy: ["S3"]),
        PaperItem("T6", "ablation"),
        PaperItem("T7", "five-phase interrogation"),
        PaperItem("T8", "routing over 10 experts"),
        PaperItem("T9", "perplexity"),
        PaperItem("T10", "restoration approaches"),
        PaperItem("T11", "feature comparison"),
        PaperItem("T12", "engineering notes", reason: "it lists notes on a framework, not measurements"),
        PaperItem("T13", "ranges of TTFT"),
        PaperItem("T14", "agents per budget, all models", answeredBy: ["T2", "T14"]),
        PaperItem("T15", "bug taxonomy", reason: "it counts the defects of the paper's own code"),
        PaperItem("T16", "development cost", reason: "it states what the paper's own development cost"),
        PaperItem("appendix-D", "bytes per agent"),
        PaperItem("F1", "architecture"),
        PaperItem("F2", "TTFT scaling"),
        PaperItem("F3", "staggered arrivals"),
        PaperItem("F4", "model architectures"),
        PaperItem("F5", "phase timeline"),
        PaperItem("F6", "routing diagram"),
        PaperItem("Q1", "P2: TTFT of a handoff"),
        PaperItem("Q2", "P2: accuracy after hops"),
    ]

    /// Why this item is not in the report; nil when one of `defined` answers it.
    func absence(defined: Set<String>) -> String? {
        if let reason { return reason }
        return answeredBy.contains(where: defined.contains) ? nil : "this version of kvlab has no experiment for it"
    }
}
