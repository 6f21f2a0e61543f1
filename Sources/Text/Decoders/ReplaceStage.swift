/// Writes one fixed text for every occurrence of another in each token ("▁" becomes a space).
struct ReplaceStage: DecoderStage {
    let replace: ReplaceNormalizer

    mutating func feed(_ token: [UInt8], _ emit: ([UInt8]) -> Void) { emit(replace.replaced(in: token)) }
}
