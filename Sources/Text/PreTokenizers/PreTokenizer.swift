/// A step that cuts a text into the pieces that the model encodes one by one.
protocol PreTokenizer: Sendable {
    func apply(to list: inout PieceList)
}
