import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors

/// Runs the same tokens over an unquantized cache and over caches of other schemes, side by side and chunk by chunk, and
/// compares every counted position as it comes: no logits are kept.
///
/// Every scheme's model attends to what its cache stores, at every position, the chunk's own tokens included.
public final class QualityPass {
    /// New tokens of one step, unless asked otherwise.
    public static let chunk = 128

    /// What one scheme gave in one window.
    public struct Outcome: Sendable {
        /// In the order of the counted positions.
        public var tokens: [TokenDivergence] = []
        /// Positions that were computed a second time on a cache that had been saved, evicted and loaded.
        public var restoredTokens = 0
        /// The largest difference of any logit there from the cache that stayed in memory; 0 is what must be.
        public var restoredDifference: Float = 0
        /// The same for a cache that was exported and imported under another agent's name.
        public var injectedDifference: Float = 0
        /// Whether saving the loaded cache wrote the same bytes.
        public var resavedEqual = true
    }

    /// Who computes with a scheme: most often the base's own engine.
    public struct Subject {
        public let engine: Engine
        public let scheme: CacheScheme
        /// Heads whose rows go through another scheme before the cache stores them.
        public let roundTrips: [HeadRoundTrip]

        public init(engine: Engine, scheme: CacheScheme, roundTrips: [HeadRoundTrip] = []) {
            self.engine = engine
            self.scheme = scheme
            self.roundTrips = roundTrips
        }
    }

    private let base: Subject
    private let subjects: [Subject]
    private let layouts: [CacheLayout]
    private let baseLayout: CacheLayout
    private let baseRows: AlignedBuffer
    private let rows: AlignedBuffer
    private let cacheFolder: String?
    private let stepTokens: Int

    /// - Parameters:
    ///   - cacheFolder: where caches are saved half-way through each window, loaded again, and given to
    ///     another agent; nil: not done.
    ///   - stepTokens: new tokens of one step, at most what a step of the models takes.
    /// - Throws: ``SchemeError`` when a scheme does not suit the model's row widths.
    public init(base: Subject, subjects: [Subject], cacheFolder: String?, stepTokens: Int = QualityPass.chunk) throws {
        precondition((subjects + [base]).allSatisfy { stepTokens <= $0.engine.model.maximumStepTokens }, "a step too long")
        self.base = base
        self.subjects = subjects
        self.cacheFolder = cacheFolder
        self.stepTokens = stepTokens
        baseLayout = try CacheLayout(spec: base.engine.model.cacheSpec, scheme: base.scheme)
        layouts = try subjects.map { try CacheLayout(spec: $0.engine.model.cacheSpec, scheme: $0.scheme) }
        let size = stepTokens * base.engine.model.vocabularySize
        baseRows = try AlignedBuffer(count: size, of: Float.self)
        rows = try AlignedBuffer(count: size, of: Float.self)
    }

    /// Runs one window.
    /// - Parameter counted: positions whose tokens count, from 1.
    /// - Returns: an outcome for each subject.
    /// - Throws: what ``LanguageModel/forward(_:)`` throws, `CachesError` for a cache that cannot be loaded again, or
    ///   ``ExperimentsError/notFinite(scheme:position:)``.
    public func run(_ tokens: [Int32], counted: Range<Int>) throws -> [Outcome] {
        let pool = BlockPool(budgetBytes: .max)
        // An error names a cache by its agent.
        func cache(_ layout: CacheLayout) -> AgentCache {
            AgentCache(agent: "the \(layout.scheme) cache", layout: layout, pool: pool)
        }
        let baseCache = cache(baseLayout)
        let caches = layouts.map(cache)
        for (cache, subject) in zip(caches, subjects) { cache.roundTrips = subject.roundTrips }
        /// Caches that take the way through files, and what is noted of each: nothing before the middle.
        var copies: [[(cache: AgentCache, difference: WritableKeyPath<Outcome, Float>)]] = layouts.map { _ in [] }
        var outcomes = subjects.map { _ in Outcome() }
        let half = tokens.count / 2
        var start = 0
        while start < tokens.count {
            // One chunk ends where the caches are saved.
            let limit = start < half && cacheFolder != nil ? half : tokens.count
            let part = tokens[start..<min(start + stepTokens, limit)]
            copy(try forward(base.engine, baseCache, part), to: baseRows)
            for index in subjects.indices {
                copy(try forward(subjects[index].engine, caches[index], part), to: rows)
                outcomes[index].tokens += try compare(part, counted, tokens, subjects[index].scheme)
                for (copy, difference) in copies[index] {
                    let logits = try forward(subjects[index].engine, copy, part)
                    outcomes[index][keyPath: difference] = max(
                        outcomes[index][keyPath: difference], self.difference(logits))
                }
                if !copies[index].isEmpty { outcomes[index].restoredTokens += part.count }
            }
            start = part.endIndex
            if start == half, let cacheFolder {
                for index in subjects.indices {
                    let reload = CacheReload(
                        folder: "\(cacheFolder)/quality", engine: subjects[index].engine, layout: layouts[index])
                    let (restored, equal) = try reload.restored(caches[index], in: pool)
                    let injected = try reload.injected(caches[index], into: "another", in: pool)
                    copies[index] = [(restored, \.restoredDifference), (injected, \.injectedDifference)]
                    outcomes[index].resavedEqual = equal
                }
            }
        }
        return outcomes
    }

    private func forward(_ engine: Engine, _ cache: AgentCache, _ part: ArraySlice<Int32>) throws -> Logits {
        try engine.model.forward([SequenceStep(cache: cache, tokens: part, wanted: .all)])
    }

    private func copy(_ logits: Logits, to buffer: AlignedBuffer) {
        buffer.pointer.copyMemory(
            from: logits.values, byteCount: logits.rows * logits.vocabularySize * MemoryLayout<Float>.size)
    }

    /// Compares the rows of a part, in parallel.
    private func compare(
        _ part: ArraySlice<Int32>, _ counted: Range<Int>, _ tokens: [Int32], _ scheme: CacheScheme
    ) throws -> [TokenDivergence] {
        let width = base.engine.model.vocabularySize
        // Row r predicts the token at part.startIndex + r + 1.
        let positions = (part.startIndex + 1..<part.endIndex + 1).clamped(to: counted)
        let (p, q) = (baseRows.bound(to: Float.self), rows.bound(to: Float.self))
        let all = [TokenDivergence?](unsafeUninitializedCapacity: positions.count) { out, count in
            let slots = Slots(pointer: out.baseAddress)
            base.engine.execution.workers.run(positions.count) { index, _ in
                let position = positions.lowerBound + index
                let row = (position - 1 - part.startIndex) * width
                (slots.pointer! + index).initialize(
                    to: TokenDivergence(
                        base: UnsafeBufferPointer(start: p + row, count: width),
                        other: UnsafeBufferPointer(start: q + row, count: width), next: tokens[position]))
            }
            count = positions.count
        }
        return try zip(positions, all).map { position, divergence in
            guard let divergence else {
                throw ExperimentsError.notFinite(scheme: scheme.description, position: position - 1)
            }
            return divergence
        }
    }

    /// Each index writes a slot of its own.
    private struct Slots: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<TokenDivergence?>?
    }

    private func difference(_ logits: Logits) -> Float {
        let count = logits.rows * logits.vocabularySize
        return LogitDifference.largest(
            UnsafeBufferPointer(start: logits.values, count: count),
            UnsafeBufferPointer(start: rows.bound(to: Float.self), count: count))
    }
}
