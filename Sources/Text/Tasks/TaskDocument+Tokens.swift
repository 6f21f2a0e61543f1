extension TaskDocument {
    /// The document's ids, and for each answer the ids that a model must predict.
    ///
    /// An answer's ids begin where the ids of the text before it stop being those of the whole text, and end likewise: an
    /// id that an answer shares with its neighbour is the answer's.
    public func tokens(_ tokenizer: Tokenizer) -> (ids: [Int32], answers: [Range<Int>]) {
        let ids = tokenizer.encode(text)
        let bytes = Array(text.utf8)
        func shared(_ end: Int) -> (count: Int, isWhole: Bool) {
            let part = tokenizer.encode(bytes: bytes[..<end])
            let count = zip(part, ids).prefix { $0 == $1 }.count
            return (count, count == part.count)
        }
        return (
            ids,
            answers.map { answer in
                let (before, after) = (shared(answer.start), shared(answer.start + answer.length))
                return before.count..<max(before.count + 1, after.isWhole ? after.count : after.count + 1)
            }
        )
    }
}
