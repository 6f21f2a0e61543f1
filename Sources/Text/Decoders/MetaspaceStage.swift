/// The visible character becomes a space; in the first token it is dropped if the pre-tokenizer puts it there.
struct MetaspaceStage: DecoderStage {
    private let replacement: LiteralPattern
    private let dropsInFirst: Bool
    private var isFirst = true

    init(replacement: [UInt8], prependScheme: MetaspacePreTokenizer.PrependScheme) {
        self.replacement = LiteralPattern(literal: replacement)
        dropsInFirst = prependScheme != .never
    }

    mutating func feed(_ token: [UInt8], _ emit: ([UInt8]) -> Void) {
        let content = isFirst && dropsInFirst ? [] : [UInt8(ascii: " ")]
        isFirst = false
        emit(ReplaceNormalizer(pattern: replacement, content: content).replaced(in: token))
    }

    mutating func finish(_ emit: ([UInt8]) -> Void) { isFirst = true }
}
