/// One step from token texts back to text, for tokens that come one by one.
///
/// What a stage gives out for all tokens together is what the decoder of the same name in Hugging Face tokenizers gives
/// for the whole list, held by `GoldenTests`; a stage that cannot yet know keeps back as little as it must.
protocol DecoderStage: Sendable {
    /// Takes a token text (or, after a stage that joins tokens, a stretch of text) and gives out what is certain.
    mutating func feed(_ token: [UInt8], _ emit: ([UInt8]) -> Void)

    /// Gives out what was kept back; the stage is then as new.
    mutating func finish(_ emit: ([UInt8]) -> Void)
}

extension DecoderStage {
    mutating func finish(_ emit: ([UInt8]) -> Void) {}
}
