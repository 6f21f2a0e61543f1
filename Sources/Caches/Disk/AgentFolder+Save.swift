import Foundation
import Schemes

/// What a save did.
public struct SaveReport: Sendable, Equatable {
    /// Bytes that went to disk.
    public var bytesWritten = 0
    /// Blocks written, and blocks that were on disk already.
    public var blocksWritten = 0
    public var blocksReused = 0
}

extension AgentFolder {
    /// Saves `snapshot`: blocks that are not on disk yet, the rows of the unfilled blocks, and the manifest.
    /// May be called from any thread; saves of one agent wait for each other.
    /// - Throws: ``CachesError/cannotSave(agent:reason:)``; what was saved before is whole then.
    @discardableResult
    public func save(_ snapshot: CacheSnapshot, identity: CacheIdentity) throws -> SaveReport {
        try state.withLock { state in
            do {
                return try save(snapshot, identity, &state)
            } catch let error as CachesError {
                throw error
            } catch {
                throw CachesError.cannotSave(agent: agent, reason: "\(error)")
            }
        }
    }

    private func save(_ snapshot: CacheSnapshot, _ identity: CacheIdentity, _ state: inout State) throws -> SaveReport {
        try prepare(&state)
        let groups = snapshot.layout.groups
        var report = SaveReport()
        var plan = Plan(snapshot, groups: groups) { usableSegment(of: $0, state.manifest) }
        // A folder that holds more than twice what it needs, after an agent went back far, is written anew.
        if plan.wastes(in: state.manifest) { plan = Plan(snapshot, groups: groups) { _ in nil } }

        var runs: [Manifest.Run] = []
        var new: [Int] = []
        var placed: [(block: Block, segment: Int)] = []
        do {
            for run in plan.runs {
                let count = run.columns.count * groups[run.group].layers.count
                if let segment = run.segment {
                    var known = state.manifest!.runs.first { $0.segment == segment }!
                    known.used = run.columns
                    runs.append(known)
                    report.blocksReused += count
                    continue
                }
                let number = state.nextSegment
                state.nextSegment += 1
                new.append(number)
                let file = SegmentFile(
                    layout: snapshot.layout, group: groups[run.group],
                    hasTokens: run.group == 0, columns: run.columns.count)
                let blocks = groups[run.group].layers.map { snapshot.blocks(layer: $0, columns: run.columns) }
                let tokens = snapshot.tokens[(run.columns.lowerBound * blockTokens)..<(run.columns.upperBound * blockTokens)]
                let written = try file.write(
                    number: number, in: path, key: key, first: run.columns.lowerBound, tokens: tokens, blocks: blocks)
                runs.append(
                    Manifest.Run(
                        segment: number, group: run.group, segmentFirst: run.columns.lowerBound,
                        segmentColumns: run.columns.count, used: run.columns, fileBytes: written.fileBytes,
                        indexChecksum: written.indexChecksum))
                placed += blocks.joined().map { ($0, number) }
                report.blocksWritten += count
                report.bytesWritten += written.written
            }
            let hasTokens = !groups[0].layers.isEmpty
            let manifest = Manifest(
                agent: agent, identity: identity, layout: snapshot.layout, textHash: snapshot.textHash,
                tokenCount: snapshot.tokens.count, leastCount: snapshot.leastCount,
                firstBlocks: groups.map { $0.layers.first.map { snapshot.layers[$0].first } ?? 0 },
                gaps: groups.map { $0.layers.first.map { snapshot.layers[$0].gap } ?? 0 }, hops: snapshot.hops, runs: runs,
                looseTokens: Array(snapshot.tokens[(hasTokens ? snapshot.sealedTokens : 0)...]))
            // The segments' names are durable before a manifest names them.
            if !new.isEmpty { try FileSink.flushFolder(path) }
            report.bytesWritten += try manifest.write(
                in: path, tail: UnsafeRawBufferPointer(start: snapshot.tail.pointer, count: manifest.tailBytes), key: key)
            state.manifest = manifest
        } catch {
            for number in new { unlink("\(path)/\(SegmentFile.name(number))") }
            throw error
        }
        for (block, segment) in placed { block.setPlace(Block.Place(folder: token, segment: segment)) }
        removeUnused(state)
        try FileSink.flushFolder(path)
        return report
    }

    /// Makes the folder, for its owner only, and looks at what it holds.
    private func prepare(_ state: inout State) throws {
        if mkdir(path, 0o700) == 0 {
            try FileSink.flushFolder((path as NSString).deletingLastPathComponent)
        } else if errno != EEXIST {
            throw FileFailure(path: path)
        }
        guard !state.isKnown else { return }
        // What cannot be read is replaced.
        state.manifest = (try? Manifest.read(in: path, key: key))?.0
        state.nextSegment = (names().compactMap(SegmentFile.number).max() ?? -1) + 1
        state.isKnown = true
        removeUnused(state)
    }

    /// The segment that holds a block already; nil when the block must be written.
    private func usableSegment(of block: Block, _ manifest: Manifest?) -> Int? {
        guard let segment = block.segment(in: token), let manifest, manifest.segments.contains(segment),
            access("\(path)/\(SegmentFile.name(segment))", R_OK) == 0
        else { return nil }
        return segment
    }

    /// Removes segments that the manifest does not name, and what processes left that died.
    private func removeUnused(_ state: State) {
        let used = state.manifest?.segments ?? []
        for name in names() {
            let isUnused = SegmentFile.number(name).map { !used.contains($0) } ?? name.hasPrefix(FileSink.temporaryPrefix)
            if isUnused { unlink("\(path)/\(name)") }
        }
    }
}

/// What of a snapshot lies in which segment.
private struct Plan {
    struct Run {
        let group: Int
        /// nil when the blocks must be written.
        let segment: Int?
        var columns: Range<Int>
    }

    private(set) var runs: [Run] = []
    private var neededBytes = 0

    /// - Parameter segment: where a block is on disk.
    init(_ snapshot: CacheSnapshot, groups: [CacheLayout.Group], segment: (Block) -> Int?) {
        for (index, group) in groups.enumerated() {
            guard let first = group.layers.first else { continue }
            let held = snapshot.layers[first]
            for column in held.first..<(held.first + held.blocks.count) {
                let segments = Set(group.layers.map { segment(snapshot.block(layer: $0, column: column)) })
                let place = segments.count == 1 ? segments.first! : nil
                if let last = runs.last, last.group == index, last.segment == place {
                    runs[runs.count - 1].columns = last.columns.lowerBound..<(column + 1)
                } else {
                    runs.append(Run(group: index, segment: place, columns: column..<(column + 1)))
                }
                neededBytes += group.layers.reduce(0) { $0 + snapshot.layout.layers[$1].blockBytes }
            }
        }
    }

    /// Whether the segments that it keeps hold more than twice what it needs.
    func wastes(in manifest: Manifest?) -> Bool {
        var kept = manifest?.runs ?? []
        kept.removeAll { run in !runs.contains { $0.segment == run.segment } }
        var seen: Set<Int> = []
        let bytes = kept.reduce(0) { seen.insert($1.segment).inserted ? $0 + manifest!.segmentFile($1).blockBytes : $0 }
        return bytes > 2 * neededBytes
    }
}

extension CacheSnapshot {
    func block(layer: Int, column: Int) -> Block { layers[layer].blocks[column - layers[layer].first] }

    func blocks(layer: Int, columns: Range<Int>) -> [Block] { columns.map { block(layer: layer, column: $0) } }
}
