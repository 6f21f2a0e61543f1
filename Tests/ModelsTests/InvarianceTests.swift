import CKernels
import Caches
import Foundation
import Models
import Schemes
import Tensors
import Testing

/// What must not change the logits: how a prompt is cut, what else is in a step, threads, what windowed layers let go of.
@Suite struct InvarianceTests {
    /// Prefill in one step, in chunks and token by token.
    @Test(arguments: Fixture.all)
    func chunks(fixture: Fixture) throws {
        let tokens = try fixture.expected().tokens
        for form in fixture.forms {
            let run = try FixtureRun(fixture, form: form)
            let whole = try run.logits(tokens)
            for steps in [[7], [1], [30, 1, 1, 200]] {
                let errors = relativeErrors(try run.logits(tokens, steps: steps), whole, width: run.model.vocabularySize)
                #expect(errors.max()! <= 1e-5, "steps \(steps)")
            }
        }
    }

    /// Queries are rounded alike in prefill and decode, and that changes something; a difference in the last bit may round one of
    /// them to the next code.
    @Test(arguments: ["llama-whole-groups", "gemma-whole-groups"])
    func roundedQueries(name: String) throws {
        let fixture = Fixture(name: name)
        let tokens = try fixture.expected().tokens
        let run = try FixtureRun(fixture, scheme: "queries-q8_0(fp32)")
        let (whole, width) = (try run.logits(tokens), run.model.vocabularySize)
        let exact = relativeErrors(try FixtureRun(fixture).logits(tokens), whole, width: width).max()!
        let cut = relativeErrors(try run.logits(tokens, steps: [1]), whole, width: width).max()!
        #expect(exact > 1e-4 && cut < exact / 2, "\(exact), \(cut)")
    }

    /// A layer that keeps its window only sees what one that keeps everything sees.
    @Test(arguments: Fixture.all("gemma"), [Compute.reference, .fast])
    func windowPolicies(fixture: Fixture, compute: Compute) throws {
        let tokens = try fixture.expected().tokens
        for steps in [[512], [1], [64]] {
            let window = try FixtureRun(fixture, compute: compute, policy: .window).logits(tokens, steps: steps)
            let full = try FixtureRun(fixture, compute: compute, policy: .full).logits(tokens, steps: steps)
            #expect(window == full, "steps \(steps)")
        }
    }

    @Test(arguments: Fixture.all, [Compute.reference, .fast])
    func threads(fixture: Fixture, compute: Compute) throws {
        let tokens = try Array(fixture.expected().tokens.prefix(40))
        for form in fixture.forms {
            let one = try FixtureRun(fixture, compute: compute, form: form, threads: 1).logits(tokens, steps: [30, 1])
            let three = try FixtureRun(fixture, compute: compute, form: form, threads: 3).logits(tokens, steps: [30, 1])
            #expect(one == three)
        }
    }

    /// Two sequences in one step, a prefill and a decode among them, give what each gives alone.
    @Test(arguments: Fixture.all, [Compute.reference, .fast])
    func company(fixture: Fixture, compute: Compute) throws {
        let tokens = try Array(fixture.expected().tokens.prefix(40))
        for form in fixture.forms {
            let run = try FixtureRun(fixture, compute: compute, form: form)
            let alone = [try run.logits(Array(tokens[..<25]), steps: [24, 1]), try run.logits(tokens.reversed(), steps: [1, 39])]
            let caches = [run.cache(), run.cache()]
            let other: [Int32] = tokens.reversed()
            var together: [[Float]] = [[], []]
            for step in [(tokens[..<24], other[..<1]), (tokens[24..<25], other[1...])] {
                let logits = try run.model.forward([
                    SequenceStep(cache: caches[0], tokens: step.0, wanted: .all),
                    SequenceStep(cache: caches[1], tokens: step.1, wanted: .all),
                ])
                for row in 0..<logits.rows { together[row < step.0.count ? 0 : 1] += logits.row(row) }
            }
            #expect(together == alone)
        }
    }

    /// A cache that was saved and loaded goes on as if it never left: compressed rows, and windows with blocks let go.
    @Test(arguments: ["deepseek-lite", "gemma-pattern-2"], [Compute.reference, .fast])
    func restored(name: String, compute: Compute) throws {
        let fixture = Fixture(name: name)
        let tokens = try fixture.expected().tokens
        let path = FileManager.default.temporaryDirectory.path + "/kvlab-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let caches = try CacheFolder(path: path)
        for form in fixture.forms {
            let run = try FixtureRun(fixture, compute: compute, scheme: "fp16", form: form)
            let cache = run.cache()
            _ = try run.model.forward([SequenceStep(cache: cache, tokens: tokens[..<290], wanted: .none)])
            let folder = caches.agent("tester")
            let identity = CacheIdentity(
                model: run.model.name, weights: run.model.fingerprint, rope: run.model.rotaryFingerprint)
            try folder.save(cache.snapshot(), identity: identity)
            let loaded = try folder.load(
                identity: identity, layout: run.layout, pool: run.pool, workers: WorkerPool(threads: 1)
            ).cache
            let rest = [cache, loaded].map { SequenceStep(cache: $0, tokens: tokens[290...], wanted: .all) }
            let logits = try run.model.forward(rest)
            for row in 0..<10 { #expect(Array(logits.row(row)) == Array(logits.row(10 + row))) }
        }
    }

    /// Every scheme stores rows of both forms; decoding reads what prefill reads. The two add up in another order, which may
    /// move an element of a later row to the next code.
    @Test(
        arguments: SchemeRegistry.all.filter { !$0.needsCalibration }.map(\.name) + ["hadamard-64(affine-q4-g64)", "hadamard-32(q4_0)"],
        [Compute.reference, .fast])
    func schemes(name: String, compute: Compute) throws {
        let fixture = Fixture(name: "deepseek-whole-groups")
        let tokens = try fixture.expected().tokens
        for form in fixture.forms {
            // Expanded values are 64 wide.
            guard let run = try? FixtureRun(fixture, compute: compute, scheme: name, form: form) else {
                #expect(name.hasSuffix("g128") && form == .expanded)
                continue
            }
            let prefill = try run.logits(tokens, steps: [40, 4])
            let decode = try run.logits(tokens, steps: [40, 1])
            let errors = relativeErrors(decode, prefill, width: run.model.vocabularySize)
            #expect(errors.max()! <= (compute == .fast ? 2e-2 : 1e-4))
        }
    }

    /// Fast arithmetic against reference arithmetic on the same weights: 8-bit activations cost about half a percent per layer,
    /// tiles of bfloat16 and the 16-bit attention of a prefill much less. The median, since a token may change to another
    /// expert.
    @Test(arguments: Fixture.wholeGroups, [Linear.Storage.affine4(KL_BF16), .affine8(KL_F16), .dense(KL_DENSE_BF16)])
    func fastIsNearReference(fixture: Fixture, storage: Linear.Storage) throws {
        let tokens = try fixture.expected().tokens
        for form in fixture.forms {
            let fast = try FixtureRun(fixture, compute: .fast, storage: storage, form: form)
            let reference = try FixtureRun(fixture, storage: storage, form: form)
            for steps in [[512], [1]] {
                let errors = relativeErrors(
                    try fast.logits(tokens, steps: steps), try reference.logits(tokens, steps: steps),
                    width: fast.model.vocabularySize)
                #expect(median(errors) <= (storage == .dense(KL_DENSE_BF16) ? 4e-3 : 3e-2))
            }
        }
    }
}
