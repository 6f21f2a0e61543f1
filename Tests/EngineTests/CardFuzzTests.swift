import CKernels
import Caches
import Crypto
import Engine
import Foundation
import Fuzzing
import Models
import Schemes
import Tensors
import Testing

/// 10,000 damaged cards of each kind: none crashes the receiver, and none that was altered is taken.
@Suite(.serialized) struct CardFuzzTests {
    static let runs = 10_000

    /// An altered card that was taken.
    private struct Taken: Error, CustomStringConvertible {
        let description = "An altered card was taken."
    }

    private struct Card {
        let bytes: [UInt8]
        /// Who takes it.
        let trust: CardTrust
    }

    /// Whole cards of tokens in two schemes, one with each seal: checksum, shared key, signature.
    private static func cards(_ lab: TinyLab) throws -> [Card] {
        let cache = lab.cache("anna")
        try lab.engine.prefill(cache, lab.tokens(20))
        let key = try CacheKey([UInt8](repeating: 7, count: 32), source: "test")
        let signer = CardSigner()
        let schemes = try ["affine-q4-g64", "q8_0"].map { try CacheScheme(expression: $0) }
        return try [
            (CardSealer.checksum, CardTrust.anyone), (.secret(key), .secret(key)),
            (.signature(signer), .signers([signer.publicKey])),
        ].map { sealer, trust in
            var request = CardRequest()
            request.sealer = sealer
            request.precision = .tokens(CardPrecision(schemes: schemes, tokens: (0..<20).map { (4..<15).contains($0) ? 0 : 1 }))
            let card = try lab.engine.card(of: cache, request)
            return Card(bytes: withExtendedLifetime(card) { Array(card.bytes) }, trust: trust)
        }
    }

    private static func isRefusal(_ error: any Error) -> Bool {
        error is CachesError || error is TensorsError || error is SchemeError || error is ModelsError
    }

    /// A header that can be read is no card that is taken, and all the more to be damaged.
    private static func mayTake(_ body: () throws -> Void) throws -> Bool {
        do { try body() } catch where isRefusal(error) { return false }
        return true
    }

    private static var path: String { FileManager.default.temporaryDirectory.path + "/kvlab-fuzz-\(getpid())" }

    @Test(arguments: 0..<3) func altered(kind: Int) async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            [kind = kind as Int] in
            let card = try Self.cards(TinyLab(scheme: "affine-q4-g64", compute: .fast, threads: 1))[kind]
            let path = Self.path
            Fuzz("cards \(kind)", files: [(path, card.bytes)], seconds: 1, minimumRuns: Self.runs).run(isRefusal: Self.isRefusal) {
                let sealed = try SealedCard(path: path)
                guard try !Self.mayTake({ _ = try sealed.open(trust: card.trust) }) || $0 == card.bytes else { throw Taken() }
            }
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    /// Someone without the key, who alters a card, or carries parts of another one over, and closes it with a key of their
    /// own: nothing of it is taken, not even what was left as it was.
    @Test(arguments: 1..<3) func closedWithAnotherKey(kind: Int) async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            [kind = kind as Int] in
            let cards = try Self.cards(TinyLab(scheme: "affine-q4-g64", compute: .fast, threads: 1))
            let forger = Forger()
            let samples = [cards[kind].bytes, cards[0].bytes]
            Fuzz("forged cards \(kind)", files: samples.map { (Self.path, $0) }, seconds: 1, minimumRuns: Self.runs)
                .run(isRefusal: Self.isRefusal) {
                    let (memory, count) = try forger.close($0)
                    let sealed = try SealedCard(memory: memory, count: count, name: "forged")
                    guard try !Self.mayTake({ _ = try sealed.open(trust: cards[kind].trust) }) else { throw Taken() }
                }
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }

    /// Someone who alters a card that has checksums only, and computes them anew: what is taken then is used in peace.
    @Test func closedAnew() async throws {
        let outcome = await #expect(processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]) {
            let lab = try TinyLab(scheme: "affine-q4-g64", compute: .reference, threads: 1, shape: .gemma)
            let forger = Forger()
            var fuzz = Fuzz(
                "cards closed anew", files: [(Self.path, try Self.cards(lab)[0].bytes)], seconds: 1, minimumRuns: Self.runs)
            fuzz.secondsPerBatch = 60
            fuzz.run(isRefusal: Self.isRefusal) {
                let (memory, count) = try forger.close($0)
                let taken = try SealedCard(memory: memory, count: count, name: "forged").open()
                let receiver = lab.cache("bert")
                try lab.engine.inject(taken, into: receiver, anyScheme: true)
                _ = try lab.engine.prefill(receiver, [1, 2])
            }
        }
        print(Fuzz.report(outcome?.standardOutputContent, outcome?.standardErrorContent))
    }
}

/// Closes whatever can be read as a card's file: with right digests and checksums, and with codes and signatures of its own.
private struct Forger {
    private let key = SymmetricKey(data: [UInt8](repeating: 9, count: 32))
    private let signer = Curve25519.Signing.PrivateKey()

    func close(_ card: [UInt8]) throws -> (AlignedBuffer, count: Int) {
        let memory = try AlignedBuffer(byteCount: max(1, card.count))
        memory.pointer.copyMemory(from: card, byteCount: card.count)
        let bytes = UnsafeMutableRawBufferPointer(start: memory.pointer, count: card.count)
        let header = try SafetensorsHeader(bytes: UnsafeRawBufferPointer(bytes), file: "forged")
        guard let digests = header.entries["digests"]?.range, let seal = header.entries["seal"]?.range else {
            return (memory, card.count)
        }
        // The public key that is named becomes the forger's.
        if let named = header.metadata["signer"], named.utf8.count == 64,
            let place = card.firstRange(of: Array(named.utf8)), place.upperBound <= header.dataStart
        {
            bytes[place].copyBytes(from: signer.publicKey.rawRepresentation.flatMap { Array(String(format: "%02x", $0).utf8) })
        }
        let size = seal.count == 4 ? 4 : 32
        let planes = header.entries.values.map(\.range).filter { $0.lowerBound >= digests.upperBound && $0 != seal }
            .sorted { $0.lowerBound < $1.lowerBound }
        for (index, plane) in planes.enumerated() where digests.lowerBound + size * (index + 1) <= digests.upperBound {
            let place = digests.lowerBound + size * index
            bytes[place..<(place + size)].copyBytes(from: digest(bytes[plane], size))
        }
        let sealed = Data(bytes[..<digests.upperBound])
        let code: [UInt8] =
            switch seal.count {
            case 4: digest(bytes[..<digests.upperBound], 4)
            case 32: Array(HMAC<SHA256>.authenticationCode(for: sealed, using: key))
            case 64: Array(try signer.signature(for: sealed))
            default: Array(bytes[seal])
            }
        bytes[seal].copyBytes(from: code)
        return (memory, card.count)
    }

    private func digest(_ bytes: Slice<UnsafeMutableRawBufferPointer>, _ size: Int) -> [UInt8] {
        let part = UnsafeRawBufferPointer(rebasing: bytes)
        guard size == 4 else { return Array(SHA256.hash(data: part)) }
        let sum = part.baseAddress.map { kl_crc32c(0, $0, part.count) } ?? 0
        return withUnsafeBytes(of: sum.littleEndian) { Array($0) }
    }
}
