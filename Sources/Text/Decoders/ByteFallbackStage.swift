/// Neighbouring tokens `<0xNN>` become the text that their bytes are, or, if these are no valid UTF-8, one U+FFFD per
/// byte of the whole run; so a run is kept back until it ends.
struct ByteFallbackStage: DecoderStage {
    private var run: [UInt8] = []

    mutating func feed(_ token: [UInt8], _ emit: ([UInt8]) -> Void) {
        if let byte = ByteToken.byte(token) {
            run.append(byte)
        } else {
            finish(emit)
            emit(token)
        }
    }

    mutating func finish(_ emit: ([UInt8]) -> Void) {
        guard !run.isEmpty else { return }
        if isValid(run) {
            emit(run)
        } else {
            for _ in run { emit(UTF8Repair.replacement) }
        }
        run = []
    }

    private func isValid(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            var at = 0
            while at < buffer.count {
                let length = buffer.validScalarLength(at: at)
                guard length > 0 else { return false }
                at += length
            }
            return true
        }
    }
}
