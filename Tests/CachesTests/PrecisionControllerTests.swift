import Caches
import Schemes
import Testing

/// Controllers and the ladder that turns their weights into schemes.
@Suite struct PrecisionControllerTests {
    static let names = ["affine-q2-g64", "affine-q3-g64", "affine-q4-g64", "affine-q6-g64", "affine-q8-g64", "fp16"]

    private func ladder(_ small: SmallCache, _ names: [String] = names) throws -> PrecisionLadder {
        try PrecisionLadder(names.map { try CacheScheme(expression: $0) }, spec: small.layout.spec)
    }

    /// Attention and sensitivity with a few tokens far above the rest, and some that get none.
    private func context(_ count: Int) -> HandoffContext {
        var context = HandoffContext(tokens: count)
        context.attention = (0..<count).map { (token: Int) -> Double in
            if token % 10 == 0 { return 50 }
            return token % 7 == 0 ? 0 : 1 / Double(1 + token)
        }
        context.sensitivity = (0..<count).map { Double($0 % 16) }
        return context
    }

    /// The stored bits of each token.
    private func bits(_ precision: CardPrecision, _ ladder: PrecisionLadder) -> [Double] {
        let bits = Dictionary(uniqueKeysWithValues: ladder.rungs.map { ($0.scheme.description, $0.bits) })
        return precision.runs.flatMap { run in
            Array(repeating: bits[precision.schemes[run.scheme].description]!, count: run.tokens)
        }
    }

    /// What a real card stores is what the budget allows, to within an upgrade of one token, also where two layers have a
    /// window and hold the last 300 tokens only.
    @Test(arguments: PrecisionControllers.all.map(\.name), [2.5, 3, 3.7, 6])
    func everyControllerSpendsItsBudget(name: String, budget: Double) throws {
        let controller = try #require(PrecisionControllers.all.first { $0.name == name })
        for window in [nil, 300] {
            let small = try SmallCache(scheme: "fp16", window: window)
            let ladder = try ladder(small)
            let cache = small.cache()
            try small.append(500, to: cache)
            var request = CardRequest()
            request.precision = .tokens(ladder.precision(weights: controller.weights(context(500)), bits: budget))
            let card = try CacheCard.make(from: cache, identity: small.identity, request)
            let allowed = budget * Double(ladder.elements(of: 500)) / 8
            // One upgrade of one token, from 8.5 to 16 bits in four layers of two heads.
            let step = 7.5 * 4 * 2 * 128 / 8
            #expect(Double(card.payloadBytes) <= allowed && Double(card.payloadBytes) > allowed - step)
        }
    }

    @Test func rungsSayWhatTheyStore() throws {
        let ladder = try ladder(SmallCache())
        #expect(ladder.rungs.map(\.bits) == [2.5, 3.5, 4.5, 6.5, 8.5, 16])
        // A bit more quarters the error, about.
        for (lower, higher) in zip(ladder.rungs, ladder.rungs.dropFirst()) { #expect(higher.distortion < lower.distortion / 3) }
        #expect(throws: CachesError.notALadder(lower: "fp16", higher: "bf16")) {
            try self.ladder(SmallCache(), ["fp16", "bf16"])
        }
        #expect(throws: CachesError.rowsWait(scheme: "kivi-2")) { try self.ladder(SmallCache(), ["kivi-2", "fp16"]) }
    }

    @Test func uniformIsOneSchemeOrTwoNeighboursSpreadEvenly() throws {
        let ladder = try ladder(SmallCache(window: nil))
        func tokens(_ bits: Double) -> [Double] {
            self.bits(ladder.precision(weights: UniformController().weights(context(400)), bits: bits), ladder)
        }
        #expect(Set(tokens(4.5)) == [4.5] && Set(tokens(16)) == [16])
        let between = tokens(3)
        #expect(Set(between) == [2.5, 3.5])
        for start in stride(from: 0, to: 400, by: 20) {
            #expect((9...11).contains(between[start..<start + 20].count { $0 == 3.5 }))
        }
    }

    /// A weight that is 16 times another's is worth two bits, where the ladder has them.
    @Test func weightsBecomeBits() throws {
        let ladder = try ladder(SmallCache(window: nil))
        func tokens(_ controller: any PrecisionController, _ change: (inout HandoffContext) -> Void = { _ in }) -> [Double] {
            var context = context(400)
            change(&context)
            return bits(ladder.precision(weights: controller.weights(context), bits: 4), ladder)
        }
        let two = ladder.precision(weights: (0..<400).map { (token: Int) -> Double in token < 200 ? 16 : 1 }, bits: 3.5)
        #expect(Set(bits(two, ladder)[..<200]) == [4.5] && Set(bits(two, ladder)[200...]) == [2.5])

        let recency = tokens(RecencyController())
        #expect(recency == recency.sorted() && recency[0] < 4 && recency[399] > 6)
        let sinks = tokens(SinkRecencyController())
        #expect(Set(sinks[..<4]) == [sinks[399]] && sinks[4] < 4)
        let random = tokens(RandomController())
        #expect(random != recency && random.sorted() == recency && random != tokens(RandomController()) { $0.seed = 1 })
        let saliency = tokens(SaliencyController())
        #expect(saliency[10] > saliency[11] && saliency[7] == 2.5)
        let oracle = tokens(OracleController())
        #expect(stride(from: 0, to: 400, by: 16).allSatisfy { oracle[$0] == 2.5 && oracle[$0 + 15] > 2.5 })
        #expect(tokens(TopologyController()) == saliency)
        let far = tokens(TopologyController()) { $0.remainingHops = 8 }
        #expect(far.max()! < saliency.max()! && tokens(TopologyController()) { $0.fanOut = 8 } == far)
    }
}
