/// The published TTFTs that a block may be compared with, or the reason why not.
struct TTFTComparison {
    /// Why there is no published number.
    struct Absence: Error, Equatable {
        var reason: String
    }
    typealias Number = Result<Double, Absence>

    private let model: String
    private let published: PublishedTTFT
    private let refusal: Absence?

    init(_ block: TTFTBlock, _ published: PublishedTTFT) {
        model = block.key.paperModel
        self.published = published
        if model.isEmpty {
            refusal = Absence(reason: "\(block.key.shape) stands for no published model")
        } else if published.contexts(model).isEmpty {
            refusal = Absence(reason: "the paper has no numbers for \(model)")
        } else if block.key.scheme != PublishedModel.scheme {
            refusal = Absence(reason: "the published numbers are of a Q4 cache, these of \(block.key.scheme)")
        } else {
            refusal = nil
        }
    }

    /// Contexts that the paper has for this block; none where nothing may be compared.
    var publishedContexts: [Int] { refusal == nil ? published.contexts(model) : [] }

    /// Published TTFT in seconds.
    func ttft(_ state: CacheState, _ context: Int) -> Number {
        number(state, published.ttft(model, state.published, context))
    }

    /// Published cold TTFT ÷ published TTFT.
    func speedUp(_ state: CacheState, _ context: Int) -> Number {
        number(state, published.speedUp(model, state.published, context))
    }

    /// Why `state` cannot be compared at any context; nil when it can.
    func refusal(of state: CacheState) -> Absence? {
        refusal ?? (state.published == nil ? Absence(reason: "the paper has no such state") : nil)
    }

    private func number(_ state: CacheState, _ value: Double?) -> Number {
        if let refusal = refusal(of: state) { return .failure(refusal) }
        return value.map(Number.success) ?? .failure(Absence(reason: "the paper has no such context"))
    }
}

extension Result where Success == Double, Failure == TTFTComparison.Absence {
    /// The number, or why there is none.
    var cell: ReportTable.Cell {
        switch self {
        case .success(let value): .number(value)
        case .failure(let absence): .missing(absence.reason)
        }
    }
}
