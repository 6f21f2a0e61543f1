import Foundation
import Tensors

extension AgentFolder {
    /// Seconds that the stages of a load took.
    public struct LoadStages: Sendable {
        /// Opening, mapping and checking manifest and indexes.
        public var open = 0.0
        /// Bringing every page into memory.
        public var read = 0.0
        /// Checksums.
        public var verify = 0.0
        /// Handing the blocks to the agent.
        public var place = 0.0
    }

    /// Maps the saved cache and checks everything but the blocks.
    /// - Parameters:
    ///   - identity: what it must have been made with; nil to take any.
    ///   - layout: how it must lie in memory; nil to take any.
    /// - Throws: ``CachesError/noAgent(agent:folder:)``, ``CachesError/mismatch(file:what:expected:found:)``,
    ///   ``CachesError/damaged(file:what:)``, ``CachesError/needsKey(file:)``, ``CachesError/wrongKey(file:)`` or a
    ///   ``TensorsError``. The caller prefills then.
    public func open(identity: CacheIdentity?, layout: CacheLayout?) throws -> StoredAgent {
        guard exists else { throw CachesError.noAgent(agent: agent, folder: path) }
        var (manifest, image, tail) = try Manifest.read(in: path, key: key)
        guard manifest.agent.utf8.elementsEqual(agent.utf8) else {
            throw CachesError.mismatch(file: image.path, what: "agent", expected: agent, found: manifest.agent)
        }
        if let layout {
            try layout.check(manifest.layout, file: image.path)
            // A file names a calibration; the caller's layout has it.
            manifest.layout = layout
        }
        try identity?.check(manifest.identity, file: image.path)
        var images: [Int: FileImage] = [:]
        for run in manifest.runs {
            let name = SegmentFile.name(run.segment)
            let image = try images[run.segment] ?? FileImage(path: "\(path)/\(name)", name: name, key: key)
            try manifest.segmentFile(run).checkIndex(image, fileBytes: run.fileBytes, checksum: run.indexChecksum)
            images[run.segment] = image
        }
        return StoredAgent(manifest, image: image, tail: tail, images: images, token: token)
    }

    /// Maps the saved cache, checks all of it and hands its blocks to an agent.
    /// - Throws: what ``open(identity:layout:)`` throws, and ``CachesError/budgetExceeded(needed:used:budget:)``.
    public func load(
        identity: CacheIdentity?, layout: CacheLayout?, pool: BlockPool, workers: WorkerPool?,
        residence: StoredAgent.Residence = .mapped
    ) throws -> (cache: AgentCache, stages: LoadStages) {
        var stages = LoadStages()
        let clock = ContinuousClock()
        var mark = clock.now
        func lap() -> Double {
            let now = clock.now
            defer { mark = now }
            return (now - mark).seconds
        }
        let stored = try open(identity: identity, layout: layout)
        stages.open = lap()
        stored.read(workers: workers)
        stages.read = lap()
        try stored.verify(workers: workers)
        stages.verify = lap()
        let cache = try stored.place(in: pool, residence: residence)
        stages.place = lap()
        return (cache, stages)
    }
}
