/// Places before a "▁" where a long text can be cut without changing the result.
///
/// Models such as Gemma encode a whole text as one word. No merge can join across x|▁ if no token holds x directly
/// followed by ▁, and merges on one side do not depend on the other side; so the text may be cut there, and encoding
/// becomes a matter of short words.
struct SafeBreaks: Sendable {
    static let mark: UInt32 = 0x2581

    /// Scalars that some token holds directly before a ▁.
    private var joined: Set<UInt32> = []

    /// nil where nothing is safe: ▁ is no token, or a merge takes one of the tokens `avoiding`, whose text is not the
    /// text that they stand for.
    init?(_ vocabulary: Vocabulary, _ merges: MergeTable, avoiding special: [Int32]) {
        guard vocabulary.id(of: [0xE2, 0x96, 0x81]) >= 0 else { return nil }
        let avoided = Set(special.filter { $0 >= 0 })
        guard !merges.contains(anyOf: avoided) else { return nil }
        var joined: Set<UInt32> = []
        vocabulary.forEach { text, _ in
            var at = 0
            var last: UInt32?
            while at < text.count {
                let (value, length) = text.scalar(at: at)
                if value == Self.mark, let last { joined.insert(last) }
                last = value
                at += length
            }
        }
        self.joined = joined
    }

    @inline(__always)
    func isSafe(between left: UInt32, and right: UInt32) -> Bool {
        right == Self.mark && !joined.contains(left)
    }
}

extension MergeTable {
    /// Whether a pair has one of these symbols.
    fileprivate func contains(anyOf symbols: Set<Int32>) -> Bool {
        pairs.contains { symbols.contains($0.left) || symbols.contains($0.right) }
    }
}
