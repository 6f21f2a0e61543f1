import CKernels
import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors
import Testing

/// What agents say after they were handed a part of another's context.
@Suite struct HandoffTests {
    /// Logits after `tokens`.
    private func logits(_ lab: TinyLab, _ cache: AgentCache, _ tokens: [Int32]) throws -> [Float] {
        Array(try lab.engine.prefill(cache, tokens).row(0))
    }

    private func cache(_ lab: TinyLab, at position: Int) -> AgentCache {
        AgentCache(agent: "there", layout: lab.layout, pool: lab.pool, positionOffset: position)
    }

    private func distance(_ a: [Float], _ b: [Float]) -> Double {
        let difference = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return (difference / b.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
    }

    /// At its own position a card is the sender's cache, bit for bit, in every scheme. Of layers with a window that holds in
    /// the reference path: the fast one rounds by tiles, and those have rows before the window that are not on the card.
    @Test(arguments: TinyShape.allCases, ["affine-q4-g64", "fp16", "k=q8_0,v=affine-q2-g32"])
    func whereItStood(shape: TinyShape, scheme: String) throws {
        let lab = try TinyLab(scheme: scheme, compute: shape == .gemma ? .reference : .fast, shape: shape)
        let tokens = lab.tokens(700)
        let sender = lab.cache("anna")
        try lab.engine.prefill(sender, Array(tokens[..<600]))
        let receiver = lab.cache("bert")
        try lab.engine.inject(lab.engine.card(of: sender), into: receiver)
        let rest = Array(tokens[600...])
        #expect(try logits(lab, receiver, rest) == logits(lab, sender, rest))
    }

    /// Behind what the receiver has, the card's tokens are those that were computed at that position: over blocks, windows
    /// that are left behind, and both ways of keeping keys.
    @Test(arguments: TinyShape.allCases, CardKeys.allCases)
    func behindAnothersContext(shape: TinyShape, keys: CardKeys) throws {
        for form in shape == .deepseek ? [MLAForm.expanded, .latent] : [.expanded] {
            // One position's logits, with random weights; Gemma's amplify every rounding the most.
            for (scheme, bound) in [("fp32", 1e-5), ("fp16", 1e-3)] {
                let worst = shape == .gemma ? 4 * bound : bound
                let lab = try TinyLab(scheme: scheme, compute: .reference, shape: shape, mlaForm: form)
                let (own, handed, rest) = (lab.tokens(300), lab.tokens(421, seed: 4), lab.tokens(30, seed: 5))
                let there = cache(lab, at: 300)
                try lab.engine.prefill(there, handed)
                let expected = lab.cache("expected")
                try lab.engine.prefill(expected, own)
                try lab.engine.inject(lab.engine.card(of: there), into: expected)

                let sender = lab.cache("anna")
                try lab.engine.prefill(sender, handed)
                var request = CardRequest()
                request.keys = keys
                let receiver = lab.cache("bert")
                try lab.engine.prefill(receiver, own)
                try lab.engine.inject(lab.engine.card(of: sender, request), into: receiver)
                #expect(receiver.tokens == own + handed && receiver.tokens == expected.tokens)
                let found = try logits(lab, receiver, rest)
                let error = try distance(found, logits(lab, expected, rest))
                #expect(error <= worst, "\(error)")

                // Left where they stood, keys are others: the comparison can tell.
                let wrong = lab.cache("wrong")
                try lab.engine.prefill(wrong, own)
                let still = lab.model.keyRotations.turn(from: wrong.nextPositions(421), to: wrong.nextPositions(421))
                try wrong.append(lab.engine.card(of: sender), turn: still)
                #expect(try distance(logits(lab, wrong, rest), found) > 10 * worst)
            }
        }
    }

    /// A cache with a card in it is saved, loaded and gone on with like any other.
    @Test(arguments: TinyShape.allCases)
    func savedAndLoaded(shape: TinyShape) throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast, shape: shape)
        let sender = lab.cache("anna")
        try lab.engine.prefill(sender, lab.tokens(421, seed: 4))
        let receiver = lab.cache("bert")
        try lab.engine.prefill(receiver, lab.tokens(77))
        try lab.engine.inject(lab.engine.card(of: sender), into: receiver)
        let identity = CacheIdentity(model: lab.model)
        let folder = try CacheFolder(path: lab.folder + "/caches").agent("bert")
        try folder.save(receiver.snapshot(), identity: identity)
        let loaded = try folder.load(identity: identity, layout: lab.layout, pool: lab.pool, workers: nil).cache
        let rest = lab.tokens(300, seed: 6)
        #expect(try logits(lab, loaded, rest) == logits(lab, receiver, rest))
    }

    /// Cards into a folder: as a new agent, behind one, and what is refused.
    @Test func intoAFolder() throws {
        let lab = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        let sender = lab.cache("anna")
        try lab.engine.prefill(sender, lab.tokens(100))
        let folder = try CacheFolder(path: lab.folder + "/caches")
        let card = try lab.engine.card(of: sender)
        _ = try folder.take(card, as: "bert", rotations: nil)
        #expect(throws: CachesError.agentExists(agent: "bert", folder: folder.path)) {
            try folder.take(card, as: "bert", rotations: nil)
        }
        let error = #expect(throws: EngineError.self) { try folder.take(card, as: "bert", behind: true, rotations: nil) }
        #expect(
            "\(error!)" == "the card of anna has keys of position 0 on, and they go to position 100; name the model with "
                + "--weights, so that they can be turned.")
        _ = try folder.take(card, as: "bert", behind: true, rotations: lab.model.keyRotations)
        let identity = CacheIdentity(model: lab.model)
        let loaded = try folder.agent("bert").load(identity: identity, layout: lab.layout, pool: lab.pool, workers: nil).cache
        #expect(loaded.tokens == sender.tokens + sender.tokens && loaded.hops == 1)
        let receiver = lab.cache("twin")
        try lab.engine.inject(card, into: receiver)
        try lab.engine.inject(card, into: receiver)
        #expect(try logits(lab, receiver, [1, 2, 3]) == logits(lab, loaded, [1, 2, 3]))

        let other = try TinyLab(scheme: "affine-q4-g64", compute: .fast, shape: .gemma).model.keyRotations
        #expect(throws: CachesError.self) { try folder.take(card, as: "carl", rotations: other) }
        var request = CardRequest()
        let schemes = try ["affine-q4-g64", "fp16"].map { try CacheScheme(expression: $0) }
        request.precision = .tokens(CardPrecision(schemes: schemes, tokens: (0..<100).map { $0 / 50 }))
        let mixed = try lab.engine.card(of: sender, request)
        let refusal = #expect(throws: EngineError.self) { try folder.take(mixed, as: "carl", rotations: nil) }
        #expect(
            "\(refusal!)" == "the card of anna has tokens in affine-q4-g64 and fp16, and a saved cache has one scheme; "
                + "name it with --kv.")
        _ = try folder.take(mixed, as: "carl", scheme: schemes[0], rotations: nil)
    }

    @Test func whatDoesNotFit() throws {
        let lab = try TinyLab(scheme: "fp16", compute: .fast)
        let sender = lab.cache("anna")
        try lab.engine.prefill(sender, lab.tokens(100))
        let card = try lab.engine.card(of: sender)
        #expect(throws: ModelsError.contextTooLong(tokens: 8193, limit: 8192, model: "tiny")) {
            try lab.engine.inject(card, into: cache(lab, at: 8093))
        }
        let narrow = try TinyLab(scheme: "affine-q4-g64", compute: .fast)
        #expect(throws: CachesError.self) { try narrow.engine.inject(card, into: narrow.cache()) }
        try narrow.engine.inject(card, into: narrow.cache(), anyScheme: true)
        #expect(throws: CachesError.self) { try lab.engine.inject(card, into: lab.cache(), tokenizer: "another") }
    }
}
