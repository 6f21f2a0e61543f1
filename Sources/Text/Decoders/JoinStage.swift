/// What tokenizers do without a decoder: one space between tokens.
struct JoinStage: DecoderStage {
    private var isFirst = true

    mutating func feed(_ token: [UInt8], _ emit: ([UInt8]) -> Void) {
        emit(isFirst ? token : [UInt8(ascii: " ")] + token)
        isFirst = false
    }

    mutating func finish(_ emit: ([UInt8]) -> Void) { isFirst = true }
}
