import Caches
import Foundation
import Schemes
import Tensors
import Testing

/// Cards: made, closed, opened, put elsewhere.
@Suite struct CacheCardTests {
    private let small: SmallCache
    private let key: CacheKey

    init() throws {
        small = try SmallCache()
        key = try CacheKey([UInt8](repeating: 7, count: 32), source: "test")
        try FileManager.default.createDirectory(atPath: small.folder, withIntermediateDirectories: true)
    }

    private func cache(_ count: Int, agent: String = "anna") throws -> AgentCache {
        let cache = small.cache(agent)
        try small.append(count, to: cache)
        return cache
    }

    /// The card's bytes in memory of their own.
    private func received(_ card: CacheCard) throws -> SealedCard { try received(Self.bytes(card)) }

    private static func bytes(_ card: CacheCard) -> [UInt8] { withExtendedLifetime(card) { Array(card.bytes) } }

    private func received(_ bytes: [UInt8]) throws -> SealedCard {
        let memory = try AlignedBuffer(byteCount: bytes.count)
        memory.pointer.copyMemory(from: bytes, byteCount: bytes.count)
        return try SealedCard(memory: memory, count: bytes.count, name: "test")
    }

    @Test func allOfAContext() throws {
        let cache = try cache(1000)
        cache.textHash = "h"
        let card = try CacheCard.make(from: cache, identity: small.identity)
        let path = small.folder + "/card.safetensors"
        try card.write(to: path)
        let found = try SealedCard(path: path).open(workers: WorkerPool(threads: 2))
        let header = found.header
        #expect(header.sender == "anna" && header.hops == 0 && header.textHash == "h" && header.seal == .crc32c)
        #expect(header.tokens == cache.tokens && header.positions == (0..<1000).map { Int32($0) })
        #expect(header.precision == CardPrecision(uniform: cache.layout.scheme, count: 1000))
        // Keys and values of 2 heads: 1000 tokens of two layers, the window's 300 of the others, 36 bytes a row.
        #expect(found.payloadBytes == 2 * 2 * 36 * (2 * 1000 + 2 * 300))
        try found.check(identity: small.identity, layout: small.layout)

        let receiver = small.cache("bert")
        try receiver.append(found, turn: nil)
        #expect(SmallCache.same(receiver, cache) && receiver.hops == 1)
        #expect(try CacheCard.make(from: receiver, identity: small.identity).header.hops == 1)
        // One token can be taken back, as with any cache; no more: the window's layers have no rows before.
        #expect(receiver.truncatable == 999...1000 && cache.truncatable == 811...1000)
    }

    /// Rows that wait in 16-bit floats have no place in a card, on either side.
    @Test func residualWindowsAreRefused() throws {
        let waiting = try SmallCache(scheme: "kivi-2")
        let cache = waiting.cache("anna")
        try waiting.append(300, to: cache)
        let error = CachesError.rowsWait(scheme: "kivi-2")
        #expect(throws: error) { try CacheCard.make(from: cache, identity: waiting.identity) }
        let card = try CacheCard.make(from: self.cache(300), identity: small.identity)
        let receiver = waiting.cache("bert")
        #expect(throws: error) { try receiver.append(card, turn: nil) }
        #expect(receiver.count == 0)
    }

    @Test func gapsAreSavedAndGrownOutOf() throws {
        let receiver = small.cache("bert")
        try receiver.append(CacheCard.make(from: cache(1000), identity: small.identity), turn: nil)
        let folder = try CacheFolder(path: small.folder).agent("bert")
        try folder.save(receiver.snapshot(), identity: small.identity)
        let loaded = try small.load(folder)
        #expect(SmallCache.same(loaded, receiver) && loaded.truncatable == 999...1000 && loaded.hops == 1)
        try small.append(100, to: loaded)
        #expect(loaded.truncatable == 1067...1100)
        try small.append(900, to: loaded)
        #expect(loaded.truncatable == 1835...2000)
    }

    @Test func partsOfAContext() throws {
        let cache = try cache(1000)
        var request = CardRequest()
        request.part = .last(150)
        request.sender = "the first"
        let last = try CacheCard.make(from: cache, identity: small.identity, request)
        #expect(last.header.positions == (850..<1000).map { Int32($0) } && last.header.sender == "the first")
        #expect(last.header.tokens == Array(cache.tokens[850...]) && last.header.textHash == nil)
        request.part = .span(600..<900)
        #expect(try CacheCard.make(from: cache, identity: small.identity, request).header.positions[0] == 600)
        for (part, sentence) in [
            (CardPart.span(100..<400),
                "No card can be made of tokens 100 to 400 of agent 'anna': layer 1 keeps tokens 512 to 1000 only; "
                    + "take the last ones."),
            (.last(1001), "No card can be made of the last 1001 tokens of agent 'anna': its context has 1000 tokens."),
            (.span(900..<1001), "No card can be made of tokens 900 to 1001 of agent 'anna': its context has 1000 tokens."),
        ] {
            request.part = part
            let error = #expect(throws: CachesError.self) { try CacheCard.make(from: cache, identity: small.identity, request) }
            #expect("\(error!)" == sentence)
        }
    }

    /// A span that goes where it stood: rows byte for byte, after those that the receiver has.
    @Test func behindAnothersContext() throws {
        let sender = try cache(400)
        var request = CardRequest()
        request.part = .last(100)
        let card = try CacheCard.make(from: sender, identity: small.identity, request)
        let receiver = try cache(300, agent: "bert")
        try receiver.append(card, turn: nil)
        #expect(SmallCache.same(receiver, sender))
    }

    @Test func otherPrecisions() throws {
        let exact = try SmallCache(scheme: "fp32")
        let cache = exact.cache()
        try exact.append(500, to: cache)
        var request = CardRequest()
        request.precision = .uniform(try CacheScheme(expression: "affine-q4-g64"))
        let card = try CacheCard.make(from: cache, identity: small.identity, request)
        let receiver = small.cache("bert")
        try receiver.append(card, turn: nil)
        #expect(SmallCache.same(receiver, try self.cache(500)))

        // Every third token in 8 bits, the others in 4; a receiver in 32 bits gets what each can hold.
        let schemes = try ["affine-q4-g64", "affine-q8-g64"].map { try CacheScheme(expression: $0) }
        request.precision = .tokens(CardPrecision(schemes: schemes, tokens: (0..<500).map { $0 % 3 == 0 ? 1 : 0 }))
        let mixed = try received(CacheCard.make(from: cache, identity: small.identity, request)).open()
        #expect(mixed.header.precision.runs.count == 334 && mixed.payloadBytes > card.payloadBytes)
        let wide = exact.cache("carl")
        try wide.append(mixed, turn: nil, workers: WorkerPool(threads: 2))
        for (token, worst) in [(498, 1.5), (499, 18.0)] {
            let row = wide.block(layer: 1, holding: token).assumingMemoryBound(to: Float.self) + token % blockTokens * 64
            let errors = (0..<64).map { abs(Double(row[$0] - SmallCache.element(position: token, layer: 1, column: $0))) }
            #expect(errors.max()! <= worst && (token == 498 || errors.max()! > 1.5))
        }
        let error = #expect(throws: CachesError.self) { try mixed.check(identity: small.identity, layout: exact.layout) }
        #expect("\(error!)" == "test was made with scheme 'affine-q4-g64' and not 'fp32'; it is not used.")
        try mixed.check(identity: small.identity, layout: exact.layout, anyScheme: true)
    }

    @Test func whatDoesNotMatch() throws {
        let card = try CacheCard.make(from: cache(20), identity: small.identity)
        for (identity, what) in [
            (CacheIdentity(model: "m", weights: "w2", tokenizer: "t1", rope: "r1"), "weights"),
            (CacheIdentity(model: "m", weights: "w1", tokenizer: "t2", rope: "r1"), "tokenizer"),
            (CacheIdentity(model: "m", weights: "w1", tokenizer: "t1", rope: "r2"), "RoPE"),
        ] {
            let error = #expect(throws: CachesError.self) { try card.check(identity: identity, layout: small.layout) }
            #expect("\(error!)".hasPrefix("the card of anna was made with \(what) '"))
        }
        for other in [try SmallCache(scheme: "fp16"), try SmallCache(window: 200)] {
            #expect(throws: CachesError.self) { try card.check(identity: small.identity, layout: other.layout) }
        }
    }

    @Test func seals() throws {
        let cache = try cache(300)
        let signer = CardSigner()
        let other = try CacheKey([UInt8](repeating: 8, count: 32), source: "test")
        var cards: [CardSeal: SealedCard] = [:]
        for sealer in [CardSealer.checksum, .secret(key), .signature(signer)] {
            var request = CardRequest()
            request.sealer = sealer
            let card = try received(CacheCard.make(from: cache, identity: small.identity, request))
            cards[card.header.seal] = card
        }
        for (seal, trust, refusal) in [
            (CardSeal.crc32c, CardTrust.anyone, nil),
            (.crc32c, .secret(key), "it is not closed with a shared key, and one is given"),
            (.crc32c, .signers([signer.publicKey]), "it is not signed"),
            (.hmacSHA256, .anyone, "it is closed with a shared key, and none is given"),
            (.hmacSHA256, .secret(key), nil),
            (.hmacSHA256, .secret(other), "its code is not one of this key, or it was altered"),
            (.ed25519, .anyone, nil),
            (.ed25519, .signers([signer.publicKey]), nil),
            (.ed25519, .signers(["00"]), "it is signed by \(signer.publicKey), who is not known here"),
        ] as [(CardSeal, CardTrust, String?)] {
            guard let refusal else {
                _ = try cards[seal]!.open(trust: trust)
                continue
            }
            let error = #expect(throws: CachesError.self) { try cards[seal]!.open(trust: trust) }
            #expect("\(error!)" == "test is not accepted: \(refusal).")
        }
    }

    /// No bit of a card can be another.
    @Test func alteredCards() throws {
        let cache = try cache(40)
        let signer = CardSigner()
        for (sealer, trust) in [
            (CardSealer.checksum, CardTrust.anyone), (.secret(key), .secret(key)),
            (.signature(signer), .signers([signer.publicKey])),
        ] {
            var request = CardRequest()
            request.sealer = sealer
            let whole = Self.bytes(try CacheCard.make(from: cache, identity: small.identity, request))
            _ = try received(whole).open(trust: trust)
            for place in stride(from: 0, to: whole.count, by: 97) + [whole.count - 1] {
                var bytes = whole
                bytes[place] ^= 1 << UInt8(place % 8)
                #expect(throws: (any Error).self, "byte \(place)") { try received(bytes).open(trust: trust) }
            }
            #expect(throws: (any Error).self) { try received(Array(whole.dropLast())).open(trust: trust) }
            #expect(throws: (any Error).self) { try received(whole + [0]).open(trust: trust) }
        }
        let error = #expect(throws: CachesError.self) { try received(Self.someExport(small)) }
        #expect("\(error!)" == "test is no card of an agent's cache: its format is 'kvlab-export' and not 'kvlab-card'.")
    }

    private static func someExport(_ small: SmallCache) throws -> [UInt8] {
        let folder = try CacheFolder(path: small.folder + "/caches").agent("anna")
        let cache = small.cache()
        try small.append(20, to: cache)
        try folder.save(cache.snapshot(), identity: small.identity)
        let path = small.folder + "/export.safetensors"
        try folder.open(identity: nil, layout: nil).export(.safetensors, to: path)
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
