import Foundation
import Schemes

/// What an agent's folder holds at one moment: which blocks of which segment files, the tokens that are in none of them,
/// and the rows of the unfilled last blocks. Renaming a new manifest into place is what makes a save happen.
struct Manifest: Sendable {
    static let layoutVersion = "2"
    static let format = "kvlab-cache"
    static let name = "manifest.safetensors"

    /// Neighbouring blocks of a group that lie in one segment file.
    struct Run: Sendable, Equatable {
        var segment: Int
        var group: Int
        /// Index of the segment's first block, and blocks of each layer in it.
        var segmentFirst: Int
        var segmentColumns: Int
        /// The blocks that are used.
        var used: Range<Int>
        var fileBytes: Int
        var indexChecksum: UInt32
    }

    let agent: String
    let identity: CacheIdentity
    var layout: CacheLayout
    let textHash: String?
    let tokenCount: Int
    /// The least count that the cache can go back to with the rows that wait in 16-bit floats.
    let leastCount: Int
    /// Index of the first block that each group holds.
    let firstBlocks: [Int]
    /// Rows at the start of each group's first block that hold nothing, after a card was taken in.
    var gaps: [Int]
    /// Handoffs that any of the tokens went through.
    var hops = 0
    /// Group after group, each in order of position.
    var runs: [Run]
    /// Tokens from `tokenCount - looseTokens.count` on.
    var looseTokens: [Int32]
    /// What is in no segment file, layer after layer.
    var tails: [LayerTail] {
        layout.tails(count: tokenCount, least: leastCount, firstBlocks: groupOfLayer.map { firstBlocks[$0] })
    }
    /// Size of the packed rows of the unfilled blocks and of the rows that wait.
    var tailBytes: Int { tails.reduce(0) { $0 + $1.byteCount } }

    /// Numbers of the segment files that are in use.
    var segments: Set<Int> { Set(runs.map(\.segment)) }

    /// Bytes of all segment files in use, as their plain bytes.
    var segmentBytes: Int {
        var seen: Set<Int> = []
        return runs.reduce(0) { seen.insert($1.segment).inserted ? $0 + $1.fileBytes : $0 }
    }

    func segmentFile(_ run: Run) -> SegmentFile {
        SegmentFile(
            layout: layout, group: layout.groups[run.group], hasTokens: hasTokens(run.group), columns: run.segmentColumns)
    }

    /// The number of the group of each layer.
    var groupOfLayer: [Int] {
        let groups = layout.groups
        return layout.layers.indices.map { layer in groups.firstIndex { $0.layers.contains(layer) }! }
    }

    /// The first group's segments hold tokens, if it has layers.
    func hasTokens(_ group: Int) -> Bool { group == 0 && !layout.groups[0].layers.isEmpty }

    /// Checks that every layer holds what the next query sees: its own token and window - 1 before it, and of the rows in
    /// 16-bit floats as many as there is room for.
    func checkWindows(_ file: String) throws {
        let groups = layout.groups
        guard firstBlocks.count == groups.count, gaps.count == groups.count,
            gaps.allSatisfy({ (0..<blockTokens).contains($0) })
        else {
            throw CachesError.damaged(file: file, what: "its groups are not those of its layers")
        }
        for ((first, gap), group) in zip(zip(firstBlocks, gaps), groups) {
            guard let layer = group.layers.first else { continue }
            guard first * blockTokens + gap <= (group.window.map { max(0, tokenCount + 1 - $0) } ?? 0) else {
                throw CachesError.damaged(file: file, what: "layer \(layer) starts past what its window needs")
            }
        }
        guard leastCount <= tokenCount, leastCount >= layout.leastCount(at: tokenCount) else {
            throw CachesError.damaged(file: file, what: "it cannot hold the rows of its residual windows")
        }
    }

    /// Checks that the runs are what the layout and the number of tokens ask for, no more and no less.
    func check(_ file: String) throws {
        func fail(_ what: String) -> CachesError { .damaged(file: file, what: what) }
        let groups = layout.groups
        let sealed = layout.sealedTokens(at: tokenCount) / blockTokens
        for (index, group) in groups.enumerated() where !group.layers.isEmpty {
            var next = firstBlocks[index]
            for run in runs where run.group == index {
                guard run.used.lowerBound == next, run.segmentFirst <= next, run.segmentColumns >= 1,
                    run.used.upperBound <= run.segmentFirst + run.segmentColumns
                else { throw fail("its blocks do not follow each other") }
                next = run.used.upperBound
            }
            guard next == max(sealed, firstBlocks[index]) else {
                throw fail("it holds \(next) blocks of layer \(group.layers[0]) and has \(tokenCount) tokens")
            }
        }
        guard runs.allSatisfy({ groups.indices.contains($0.group) && !groups[$0.group].layers.isEmpty }),
            looseTokens.count == tokenCount - (hasTokens(0) ? sealed * blockTokens : 0)
        else { throw fail("its tokens are not all there") }
    }
}
