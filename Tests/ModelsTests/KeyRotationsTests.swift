import CKernels
import Caches
import Models
import Schemes
import Tensors
import Testing

/// Keys that were computed at one position and handed over to another, against a prefill at that position.
@Suite struct KeyRotationsTests {
    /// Where the prompt stands in the receiver's context.
    static let shift = 37

    /// Logits of the last third of the prompt when the rest is computed at position `shift`, and when it is computed at
    /// position 0 and comes on a card.
    private func moved(
        _ fixture: Fixture, _ form: MLAForm, scheme: String, keys: CardKeys = .rotated
    ) throws -> (expected: [Float], found: [Float], width: Int) {
        let run = try FixtureRun(fixture, scheme: scheme, form: form)
        let tokens = try fixture.expected().tokens
        let cut = tokens.count * 2 / 3
        func forward(_ cache: AgentCache, _ part: ArraySlice<Int32>) throws -> [Float] {
            let logits = try run.model.forward([SequenceStep(cache: cache, tokens: part, wanted: .all)])
            return (0..<logits.rows).flatMap { Array(logits.row($0)) }
        }
        func cache(_ position: Int) -> AgentCache {
            AgentCache(agent: "a", layout: run.layout, pool: run.pool, positionOffset: position)
        }
        let there = cache(Self.shift)
        _ = try forward(there, tokens[..<cut])

        let sender = cache(0)
        _ = try forward(sender, tokens[..<cut])
        let rotations = run.model.keyRotations
        var request = CardRequest()
        request.keys = keys
        let positions = try sender.positions(of: .all)
        let card = try CacheCard.make(
            from: sender, identity: CacheIdentity(model: "m", weights: "w", rope: "r"), request,
            turn: keys == .unrotated ? rotations.turn(from: positions, to: nil) : nil)
        let receiver = cache(Self.shift)
        try receiver.append(
            card, turn: rotations.turn(from: keys == .rotated ? positions : nil, to: receiver.nextPositions(cut)))
        return (try forward(there, tokens[cut...]), try forward(receiver, tokens[cut...]), run.model.vocabularySize)
    }

    /// In 32 bits nothing is lost but the rounding of one rotation.
    @Test(arguments: Fixture.all, CardKeys.allCases)
    func exactly(fixture: Fixture, keys: CardKeys) throws {
        for form in fixture.forms {
            let (expected, found, width) = try moved(fixture, form, scheme: "fp32", keys: keys)
            #expect(relativeErrors(found, expected, width: width).max()! <= 1e-5)
        }
    }

    /// A card in 16 bits, in the reference path: all positions together, and each by itself.
    @Test(arguments: Fixture.all, CardKeys.allCases)
    func sixteenBits(fixture: Fixture, keys: CardKeys) throws {
        for form in fixture.forms {
            let (expected, found, width) = try moved(fixture, form, scheme: "fp16", keys: keys)
            #expect(relativeErrors(found, expected, width: expected.count)[0] <= 1e-3)
            #expect(relativeErrors(found, expected, width: width).max()! <= 2e-3)
        }
    }

    @Test func angles() throws {
        let fixture = Fixture.all("llama")[0]
        let run = try FixtureRun(fixture, scheme: "fp32")
        let rotations = run.model.keyRotations
        let still = rotations.turn(from: [5], to: [5])
        #expect(still.tables.allSatisfy { $0.cosines.allSatisfy { $0 == 1 } && $0.sines.allSatisfy { $0 == 0 } })
        let turn = rotations.turn(from: [0, 100_000], to: [1, 100_001])
        // A step of one is not the same 32-bit difference everywhere.
        #expect(turn.tables[0].cosines[0] != turn.tables[0].cosines[turn.tables[0].pairs])
    }
}
