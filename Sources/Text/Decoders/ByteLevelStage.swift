/// Byte-level characters become bytes, and the bytes of all tokens together become text. A token with a character that
/// is not in the alphabet, such as an added token with a real space, stands for itself.
struct ByteLevelStage: DecoderStage {
    private var repair = UTF8Repair()

    mutating func feed(_ token: [UInt8], _ emit: ([UInt8]) -> Void) {
        var out: [UInt8] = []
        let bytes = token.withUnsafeBufferPointer { ByteAlphabet.decode($0) } ?? token
        repair.feed(bytes, into: &out)
        emit(out)
    }

    mutating func finish(_ emit: ([UInt8]) -> Void) {
        var out: [UInt8] = []
        repair.finish(into: &out)
        emit(out)
    }
}
