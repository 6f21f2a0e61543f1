import CKernels
import Tensors

/// `mixed(POLICY,N,X,Y)`: of every 128 tokens, N in scheme X and the others in scheme Y; the policy chooses.
///
/// Rows wait in 16-bit floats until there are 128 of them. The numbers are fixed, and so are the bytes, whatever is chosen. A
/// tile is encoded once: a policy compares the tokens of one tile, with nothing that comes later.
///
/// - Layout: in each tile a bit for each token, least significant first, 1 where it is fine; then the planes of the fine tokens,
///   one after another, then those of the coarse ones, each from a multiple of 8 bytes on; in all a multiple of 32 bytes.
/// - Source: ours. Policies are those of cards, ``PrecisionControllers``: a stand-in for the allocation of arXiv 2605.03884, whose
///   rule is not published in enough detail to copy.
public struct MixedScheme: KVScheme {
    /// Tokens of a tile.
    public static let tile = ProbeRows.tile
    private static let maskBytes = tile / 8

    public let name: String
    public let summary: String
    private let policy: any PrecisionController
    public let fine: any KVScheme
    public let coarse: any KVScheme
    /// Tokens of a tile that are stored by ``fine``.
    public let fineTokens: Int

    /// - Precondition: `fine` and `coarse` store single tokens, or as many at once as there are of theirs; the policy knows no
    ///   future.
    init(
        name: String, summary: String, policy: any PrecisionController, fineTokens: Int, fine: any KVScheme,
        coarse: any KVScheme
    ) {
        precondition((1..<Self.tile).contains(fineTokens) && policy.isForCaches)
        self.name = name
        self.summary = summary
        self.policy = policy
        self.fineTokens = fineTokens
        self.fine = fine
        self.coarse = coarse
    }

    public var tileTokens: Int { Self.tile }
    public var residual: ResidualWindow { .whole(tokens: Self.tile) }
    public var readsAttention: Bool { policy.needs == .attention }

    public func scheme(for kind: RowKind) -> any KVScheme {
        MixedScheme(
            name: name, summary: summary, policy: policy, fineTokens: fineTokens, fine: fine.scheme(for: kind),
            coarse: coarse.scheme(for: kind))
    }

    public func check() throws {
        try fine.check()
        try coarse.check()
    }

    public func planes(width: Int) throws -> [Plane] {
        [Plane("tokens", bytesPerTile: try TileLayout(self, width: width).byteCount, tileTokens: Self.tile)]
    }

    /// Where the tokens of both schemes lie in a tile.
    private struct TileLayout {
        let fine: PlaneOffsets
        let coarse: PlaneOffsets
        let byteCount: Int

        init(_ scheme: MixedScheme, width: Int) throws {
            var end = maskBytes
            fine = PlaneOffsets(try scheme.fine.planes(width: width), tokens: scheme.fineTokens, end: &end)
            coarse = PlaneOffsets(try scheme.coarse.planes(width: width), tokens: tile - scheme.fineTokens, end: &end)
            byteCount = (end + 31) / 32 * 32
        }
    }

    /// Of a width that ``planes(width:)`` took.
    private func tileLayout(_ segment: Segment) -> TileLayout {
        do {
            return try TileLayout(self, width: segment.width)
        } catch {
            preconditionFailure("\(name) holds rows of \(segment.width) elements: \(error)")
        }
    }

    // MARK: Choosing

    /// For each token of the tile that begins at `position` whether ``fine`` stores it: exactly ``fineTokens`` do. Of equal
    /// weights those are taken that are spread evenly.
    /// - Parameter saliency: attention that probe rows give to each token; nil where none was noted.
    public func chosen(at position: Int, saliency: UnsafePointer<Float>? = nil) -> [Bool] {
        // As many tokens before the tile as a policy tells from others.
        let before = min(position, SinkRecencyController.sinks)
        var context = HandoffContext(tokens: before + Self.tile)
        context.seed = UInt64(position)
        context.attention = (0..<context.tokens).map { token in
            guard let saliency, token >= before, saliency[token - before] > 0 else { return 0 }
            return Double(saliency[token - before])
        }
        let weights = Array(policy.weights(context)[before...])
        let order = weights.indices.sorted { (weights[$1], evenPlace(of: $0)) < (weights[$0], evenPlace(of: $1)) }
        var isFine = [Bool](repeating: false, count: Self.tile)
        for token in order.prefix(fineTokens) { isFine[token] = true }
        return isFine
    }

    // MARK: Encoding

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        let width = segment.width
        let layout = tileLayout(segment)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.tile * width) { buffer in
            let gathered = buffer.baseAddress!
            for start in Swift.stride(from: 0, to: count, by: Self.tile) {
                let tile = segment.plane(0, token: token + start, as: UInt8.self)
                let isFine = chosen(at: segment.firstPosition + token + start, saliency: segment.saliency.map { $0 + start })
                tile.update(repeating: 0, count: layout.byteCount)
                for row in 0..<Self.tile where isFine[row] { tile[row / 8] |= 1 << (row % 8) }
                for (scheme, offsets, fine) in [(fine, layout.fine, true), (coarse, layout.coarse, false)] {
                    var used = 0
                    for row in 0..<Self.tile where isFine[row] == fine {
                        (gathered + used * width).update(from: rows + (start + row) * stride, count: width)
                        used += 1
                    }
                    scheme.encode(
                        gathered, count: used, stride: width, at: 0, into: Segment(base: tile, width: width, offsets: offsets),
                        isa: isa)
                }
            }
        }
    }

    // MARK: Decoding

    /// Tokens of one scheme in a part of a tile.
    private struct Group {
        let scheme: any KVScheme
        let segment: Segment
        /// The first of them within the segment.
        let first: Int
        /// Their places in the range that was asked for, ascending.
        let places: UnsafeBufferPointer<Int>
        var count: Int { places.count }
    }

    /// Calls `body` with both schemes' tokens among `count` from `token` on, tile after tile.
    private func forEachGroup(_ segment: Segment, from token: Int, count: Int, _ body: (Group) -> Void) {
        let layout = tileLayout(segment)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: Self.tile) { places in
            var start = 0
            while start < count {
                let inTile = (token + start) % Self.tile
                let part = min(count - start, Self.tile - inTile)
                let tile = segment.plane(0, token: token + start, as: UInt8.self)
                for (scheme, offsets, limit, bit) in [
                    (fine, layout.fine, fineTokens, 1 as UInt8), (coarse, layout.coarse, Self.tile - fineTokens, 0),
                ] {
                    var (first, found) = (0, 0)
                    for row in 0..<(inTile + part) where tile[row / 8] >> (row % 8) & 1 == bit {
                        if row < inTile {
                            first += 1
                        } else {
                            places[found] = start + row - inTile
                            found += 1
                        }
                    }
                    // A damaged mask reads nothing outside of the tile.
                    found = max(0, min(found, limit - first))
                    guard found > 0 else { continue }
                    body(
                        Group(
                            scheme: scheme, segment: Segment(base: tile, width: segment.width, offsets: offsets), first: first,
                            places: UnsafeBufferPointer(rebasing: places[..<found])))
                }
                start += part
            }
        }
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        let width = segment.width
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.tile * width) { buffer in
            let rows = buffer.baseAddress!
            forEachGroup(segment, from: token, count: count) { group in
                group.scheme.decode(group.segment, from: group.first, count: group.count, into: rows, isa: isa)
                for (row, place) in group.places.enumerated() {
                    (out + place * width).update(from: rows + row * width, count: width)
                }
            }
        }
    }

    public func scores(
        _ queries: DecodeQueries, _ segment: Segment, from token: Int, count: Int,
        into scores: UnsafeMutablePointer<Float>, stride: Int, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: queries.heads * Self.tile) { buffer in
            let found = buffer.baseAddress!
            forEachGroup(segment, from: token, count: count) { group in
                group.scheme.scores(
                    queries, group.segment, from: group.first, count: group.count, into: found, stride: Self.tile,
                    scratch: scratch, isa: isa)
                for head in 0..<queries.heads {
                    for (row, place) in group.places.enumerated() {
                        scores[head * stride + place] = found[head * Self.tile + row]
                    }
                }
            }
        }
    }

    public func accumulate(
        _ weights: UnsafePointer<Float>, stride: Int, heads: Int, _ segment: Segment, from token: Int, count: Int,
        into out: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: heads * Self.tile) { buffer in
            let own = buffer.baseAddress!
            forEachGroup(segment, from: token, count: count) { group in
                for head in 0..<heads {
                    for (row, place) in group.places.enumerated() {
                        own[head * Self.tile + row] = weights[head * stride + place]
                    }
                }
                group.scheme.accumulate(
                    own, stride: Self.tile, heads: heads, group.segment, from: group.first, count: group.count, into: out,
                    scratch: scratch, isa: isa)
            }
        }
    }

    // MARK: Expressions

    static let wrapper = SchemeWrapper(
        name: "mixed", form: "mixed(POLICY,N,X,Y)", example: "mixed(saliency,64,affine-q4-g64,affine-q2-g64)",
        summary: "of every 128 tokens N in scheme X and the others in Y, chosen by POLICY: " + policies.map(\.name).joined(separator: ", "),
        words: 2, schemes: 2
    ) { words, schemes in
        guard let policy = PrecisionControllers.all.first(where: { $0.name == words[0] }) else {
            let nearest = nearestName(to: words[0], in: policies.map(\.name)).map { "did you mean '\($0)'" }
            throw SchemeWrapper.Problem(
                argument: 0, text: "unknown policy '\(words[0])'; \(nearest ?? policies.map(\.name).joined(separator: ", "))")
        }
        guard policy.isForCaches else {
            throw SchemeWrapper.Problem(
                argument: 0, text: "policy '\(policy.name)' looks ahead, and a cache encodes what it has: it is for cards only")
        }
        guard let fine = Int(words[1]), (1..<tile).contains(fine), "\(fine)" == words[1] else {
            throw SchemeWrapper.Problem(argument: 1, text: "N is a number of tokens from 1 to \(tile - 1), not '\(words[1])'")
        }
        for (index, scheme) in schemes.enumerated() {
            guard RowKind.allCases.allSatisfy({ scheme.scheme(for: $0).tileTokens == 1 && scheme.scheme(for: $0).residual == .none })
            else {
                throw SchemeWrapper.Problem(
                    argument: 2 + index, text: "'\(scheme.name)' does not store each row by itself and at once, as schemes in 'mixed' must")
            }
        }
        return MixedScheme(
            name: "mixed(\(policy.name),\(fine),\(schemes[0].name),\(schemes[1].name))",
            summary: "\(fine) of every \(tile) tokens in \(schemes[0].name), the others in \(schemes[1].name): \(policy.summary)",
            policy: policy, fineTokens: fine, fine: schemes[0], coarse: schemes[1])
    }

    private static var policies: [any PrecisionController] { PrecisionControllers.all.filter(\.isForCaches) }
}

extension PrecisionController {
    /// Can it choose when a tile is encoded, with nothing known of what comes?
    var isForCaches: Bool { needs != .sensitivity && !looksAhead }
}
