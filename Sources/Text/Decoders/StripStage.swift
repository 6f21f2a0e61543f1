/// Takes a character away from the start, at most `start` times, and from the end, at most `stop` times: of each token,
/// or of the whole text after a stage that joins the tokens.
struct StripStage: DecoderStage {
    let content: [UInt8]
    let start: Int
    let stop: Int
    let isJoined: Bool
    /// How many more may be taken from the start.
    private var left: Int
    /// Copies of `content` at the end so far, which may have to go.
    private var held = 0

    init(content: [UInt8], start: Int, stop: Int, isJoined: Bool) {
        self.content = content
        self.start = start
        self.stop = stop
        self.isJoined = isJoined
        left = start
    }

    mutating func feed(_ token: [UInt8], _ emit: ([UInt8]) -> Void) {
        var text = token[...]
        while left > 0, text.starts(with: content) {
            text = text.dropFirst(content.count)
            left -= 1
        }
        if !text.isEmpty { left = 0 }

        var last = 0
        while last < stop, text.count >= content.count, text.suffix(content.count).elementsEqual(content) {
            text = text.dropLast(content.count)
            last += 1
        }
        if text.isEmpty, isJoined {
            let most = held + last
            held = min(stop, most)
            emit(copies(most - held))
        } else {
            emit(copies(held) + text)
            held = last
        }
        if !isJoined { finish(emit) }
    }

    mutating func finish(_ emit: ([UInt8]) -> Void) {
        left = start
        held = 0
    }

    private func copies(_ count: Int) -> [UInt8] { Array(repeatElement(content, count: count).joined()) }
}
