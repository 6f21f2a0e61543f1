/// Byte-pair encoding: a piece of text becomes its smallest symbols, and the pair of lowest rank joins until none does.
///
/// Two alphabets: in a byte-level model (GPT-2, Llama 3, DeepSeek) the symbols are the 256 bytes, each written as a
/// printable character; otherwise (Llama 2, Gemma) they are Unicode scalars, and a scalar that is no token becomes
/// its bytes `<0x00>`…`<0xFF>` or the unknown token.
///
/// The result is that of Hugging Face tokenizers' BPE without dropout, held by `GoldenTests` and by the fuzz script.
struct BytePairModel: Sendable {
    enum Alphabet: Sendable, Equatable {
        case bytes, scalars
    }

    let vocabulary: Vocabulary
    let merges: MergeTable
    let alphabet: Alphabet
    let unknownID: Int32?
    /// Neighbouring unknown scalars become one unknown token.
    let fusesUnknown: Bool
    /// A piece that is a token as a whole becomes it, even if no merges lead there (Llama 3).
    let ignoresMerges: Bool
    /// Byte → id of its symbol (`bytes`) or of its `<0xNN>` token (`scalars`, with byte fallback); −1 where none.
    private let byteIDs: [Int32]
    /// ASCII → id, so that most scalars need no hash.
    private let asciiIDs: [Int32]
    private let breaks: SafeBreaks?

    /// - Throws: ``TextError/inconsistent(file:problem:)`` where some text would have no token at all.
    init(
        vocabulary: Vocabulary, merges: MergeTable, alphabet: Alphabet, unknownID: Int32?, fusesUnknown: Bool,
        ignoresMerges: Bool, fallsBackToBytes: Bool, file: String
    ) throws(TextError) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.alphabet = alphabet
        self.unknownID = unknownID
        self.fusesUnknown = fusesUnknown
        self.ignoresMerges = ignoresMerges
        asciiIDs = (0..<128).map { vocabulary.id(of: [UInt8($0)]) }
        switch alphabet {
        case .bytes:
            byteIDs = ByteAlphabet.texts.map(vocabulary.id(of:))
            breaks = nil
        case .scalars:
            byteIDs = (0...255).map { fallsBackToBytes ? vocabulary.id(of: ByteToken.text(UInt8($0))) : -1 }
            breaks = ignoresMerges ? nil : SafeBreaks(vocabulary, merges, avoiding: byteIDs + [unknownID ?? -1])
        }
        // Some bytes never occur in UTF-8 and need no token.
        let lost = (0...255).first { byteIDs[$0] < 0 && ![0xC0, 0xC1].contains($0) && $0 < 0xF5 }
        if unknownID == nil, let byte = lost {
            throw .inconsistent(
                file: file,
                problem: "there is no unknown token and no token for the byte 0x"
                    + "\(String(byte, radix: 16, uppercase: true)), so that some text would be lost")
        }
    }

    /// Appends the ids of a piece of text.
    func encode(_ piece: UTF8Text, into ids: inout [Int32], _ scratch: inout MergeScratch) {
        if ignoresMerges, let id = wholeToken(piece) {
            ids.append(id)
            return
        }
        switch alphabet {
        case .bytes: encodeBytes(piece, into: &ids, &scratch)
        case .scalars: encodeScalars(piece, into: &ids, &scratch)
        }
    }

    private func wholeToken(_ piece: UTF8Text) -> Int32? {
        let id: Int32
        switch alphabet {
        case .scalars: id = vocabulary.id(of: piece)
        case .bytes: id = vocabulary.id(of: ByteAlphabet.encode(piece))
        }
        return id >= 0 ? id : nil
    }

    private func encodeBytes(_ piece: UTF8Text, into ids: inout [Int32], _ scratch: inout MergeScratch) {
        var unknown = UnknownRun()
        for byte in piece {
            let id = byteIDs[Int(byte)]
            if id >= 0 {
                unknown.end(self, &scratch)
                scratch.append(id)
            } else {
                unknown.add(self, &scratch)
            }
        }
        unknown.end(self, &scratch)
        scratch.merge(with: merges, into: &ids)
    }

    private func encodeScalars(_ piece: UTF8Text, into ids: inout [Int32], _ scratch: inout MergeScratch) {
        var unknown = UnknownRun()
        var at = 0
        var last: UInt32 = 0
        while at < piece.count {
            let (value, length) = piece.scalar(at: at)
            if at > 0, let breaks, breaks.isSafe(between: last, and: value) {
                unknown.end(self, &scratch)
                scratch.merge(with: merges, into: &ids)
            }
            let text = UTF8Text(rebasing: piece[at..<at + length])
            let id = value < 128 ? asciiIDs[Int(value)] : vocabulary.id(of: text)
            if id >= 0 {
                unknown.end(self, &scratch)
                scratch.append(id)
            } else if text.allSatisfy({ byteIDs[Int($0)] >= 0 }) {
                // As in tokenizers, an unknown token that waits keeps waiting here.
                for byte in text { scratch.append(byteIDs[Int(byte)]) }
            } else {
                unknown.add(self, &scratch)
            }
            last = value
            at += length
        }
        unknown.end(self, &scratch)
        scratch.merge(with: merges, into: &ids)
    }
}

/// An unknown token that waits for the end of its run.
private struct UnknownRun {
    private var isWaiting = false

    mutating func add(_ model: BytePairModel, _ scratch: inout MergeScratch) {
        if isWaiting, !model.fusesUnknown { end(model, &scratch) }
        isWaiting = true
    }

    mutating func end(_ model: BytePairModel, _ scratch: inout MergeScratch) {
        guard isWaiting, let id = model.unknownID else { return }
        isWaiting = false
        scratch.append(id)
    }
}
