import CKernels
import Foundation
import Schemes
import Tensors

/// An agent's cache as a safetensors file whose blocks are the memory image: they are mapped and used in place.
///
/// Tensors: `layers.N.blocks` U8 [blocks, block bytes] for each layer, 64-byte aligned; `checksums` U32, the CRC-32C of
/// every block in that order and of `tokens` last; `tokens` I32 [count]. The metadata names everything that must match:
/// layout version, model, scheme, window policy, MLA form.
public enum CacheFile {
    static let layoutVersion = "1"
    static let format = "kvlab-cache"

    /// Seconds that the stages of a load took.
    public struct LoadStages: Sendable {
        /// Opening, mapping and checking the header.
        public var open = 0.0
        /// Bringing every page into memory.
        public var read = 0.0
        /// Checksums.
        public var verify = 0.0
        /// Handing the blocks to the agent.
        public var place = 0.0
    }

    /// Writes the agent's whole cache to `path`.
    /// - Parameter model: fingerprint of the model that made it.
    /// - Returns: bytes written.
    /// - Throws: ``TensorsError/cannotWrite(file:reason:)``; a file that was there before is whole then.
    @discardableResult
    public static func save(_ cache: AgentCache, model: String, to path: String) throws -> Int {
        let layout = cache.layout
        var declarations: [SafetensorsWriter.Declaration] = []
        for (index, held) in cache.layers.enumerated() where !held.blocks.isEmpty {
            declarations.append(
                .init(
                    name: tensorName(index), dtype: .u8, shape: [held.blocks.count, layout.layers[index].blockBytes]))
        }
        let blockCount = cache.layers.reduce(0) { $0 + $1.blocks.count }
        declarations.append(.init(name: "checksums", dtype: .u32, shape: [blockCount + 1]))
        declarations.append(.init(name: "tokens", dtype: .i32, shape: [cache.count]))

        var metadata = identity(model: model, layout: layout)
        metadata["agent"] = cache.agent
        metadata["token_count"] = String(cache.count)
        metadata["first_blocks"] = cache.layers.map { String($0.first) }.joined(separator: ",")

        return try SafetensorsWriter.write(to: path, metadata: metadata, tensors: declarations) { write in
            var checksums: [UInt32] = []
            for (layer, held) in zip(layout.layers, cache.layers) {
                for (index, block) in held.blocks.enumerated() {
                    let filled = cache.count - (held.first + index) * blockTokens
                    let bytes = UnsafeRawBufferPointer(start: block.pointer, count: layer.blockBytes)
                    if filled >= blockTokens {
                        checksums.append(kl_crc32c(0, bytes.baseAddress!, bytes.count))
                        try write(bytes)
                    } else {
                        // Rows past the last token are nobody's: the file holds zeros there.
                        let copy = try AlignedBuffer(byteCount: bytes.count)
                        copy.pointer.copyMemory(from: block.pointer, byteCount: bytes.count)
                        layer.clear(from: filled, in: copy.pointer)
                        checksums.append(kl_crc32c(0, copy.pointer, bytes.count))
                        try write(UnsafeRawBufferPointer(start: copy.pointer, count: bytes.count))
                    }
                }
            }
            try cache.tokens.withUnsafeBytes { tokens in
                checksums.append(tokens.isEmpty ? 0 : kl_crc32c(0, tokens.baseAddress!, tokens.count))
                try checksums.withUnsafeBytes(write)
                try write(tokens)
            }
        }
    }

    /// Where the blocks of a loaded cache live.
    public enum Residence: Sendable {
        /// In the mapped file; only the unfilled last block of each layer is copied.
        case mapped
        /// In the pool's own memory.
        case copied
    }

    /// Maps the file, checks it and hands its blocks to an agent.
    /// - Parameter model: fingerprint of the model that is to go on with it.
    /// - Throws: ``CachesError/mismatch(file:what:expected:found:)``, ``CachesError/damaged(file:what:)``,
    ///   ``CachesError/budgetExceeded(needed:used:budget:)`` or a ``TensorsError``. The caller prefills then.
    public static func load(
        _ path: String, agent: String, model: String, layout: CacheLayout, pool: BlockPool, workers: WorkerPool,
        residence: Residence = .mapped
    ) throws -> (cache: AgentCache, stages: LoadStages) {
        var stages = LoadStages()
        let clock = ContinuousClock()
        var mark = clock.now
        func lap() -> Double {
            let now = clock.now
            defer { mark = now }
            return (now - mark).seconds
        }

        let file = try SafetensorsFile(path: path)
        var expected = identity(model: model, layout: layout)
        expected["agent"] = agent
        for (key, value) in expected.sorted(by: { $0.key < $1.key }) {
            guard let found = file.metadata[key] else {
                throw CachesError.damaged(file: path, what: "its header has no '\(key)'")
            }
            guard found == value else {
                throw CachesError.mismatch(
                    file: path, what: key.replacingOccurrences(of: "_", with: " "), expected: value, found: found)
            }
        }
        let contents = try Contents(file: file, layout: layout)
        stages.open = lap()

        touch(file, workers: workers)
        stages.read = lap()

        try contents.verify(workers: workers)
        stages.verify = lap()

        var layers: [AgentCache.LayerBlocks] = []
        for (index, layer) in layout.layers.enumerated() {
            var held = AgentCache.LayerBlocks(first: contents.held[index].lowerBound)
            for block in contents.held[index] {
                let bytes = contents.bytes(layer: index, block: block)
                if residence == .mapped && (block + 1) * blockTokens <= contents.tokens.count {
                    held.blocks.append(try pool.adopt(bytes, of: file))
                } else {
                    let copy = try pool.allocate(layer.blockBytes)
                    copy.pointer.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                    held.blocks.append(copy)
                }
            }
            layers.append(held)
        }
        let cache = AgentCache(agent: agent, layout: layout, pool: pool, tokens: contents.tokens, layers: layers)
        stages.place = lap()
        return (cache, stages)
    }

    private static func tensorName(_ layer: Int) -> String { "layers.\(layer).blocks" }

    /// What must match between a file and those who use it.
    private static func identity(model: String, layout: CacheLayout) -> [String: String] {
        [
            "format": format, "layout_version": layoutVersion, "model": model,
            "scheme": layout.scheme.description, "window_policy": layout.windowPolicy.rawValue,
            "mla_form": layout.spec.mlaForm.rawValue, "block_tokens": String(blockTokens),
        ]
    }

    /// Touches one byte of every page, on all threads, so that reading is not counted as checking.
    private static func touch(_ file: SafetensorsFile, workers: WorkerPool) {
        file.file.prefetch()
        let bytes = file.file.bytes
        let part = 4 << 20
        workers.run((bytes.count + part - 1) / part) { index, _ in
            var sum: UInt8 = 0
            for offset in stride(from: index * part, to: min(bytes.count, (index + 1) * part), by: 4096) {
                sum &+= bytes[offset]
            }
            withExtendedLifetime(sum) {}
        }
    }

    /// The blocks of a file, found and checked against what the header and the layout say.
    private struct Contents {
        let file: SafetensorsFile
        let layout: CacheLayout
        let tokens: [Int32]
        /// Block indices held of each layer.
        let held: [Range<Int>]
        private let entries: [SafetensorsFile.Entry?]
        private let checksums: [UInt32]

        init(file: SafetensorsFile, layout: CacheLayout) throws {
            let path = file.file.path
            self.file = file
            self.layout = layout
            let tokenEntry = try file.entry("tokens")
            guard tokenEntry.dtype == .i32, tokenEntry.shape.count == 1,
                file.metadata["token_count"] == String(tokenEntry.shape[0])
            else { throw CachesError.damaged(file: path, what: "token count and tokens do not agree") }
            let count = tokenEntry.shape[0]
            tokens = file.bytes(of: tokenEntry).loadArray(of: Int32.self)

            let firsts = (file.metadata["first_blocks"] ?? "").split(separator: ",").map { Int($0) }
            guard firsts.count == layout.layers.count else {
                throw CachesError.damaged(
                    file: path, what: "it holds \(firsts.count) layers and the model has \(layout.layers.count)")
            }
            var held: [Range<Int>] = []
            var entries: [SafetensorsFile.Entry?] = []
            for (index, layer) in layout.layers.enumerated() {
                let expected = layer.heldBlocks(at: count)
                guard let first = firsts[index], first >= 0, first <= expected.lowerBound else {
                    throw CachesError.damaged(file: path, what: "layer \(index) starts past what its window needs")
                }
                held.append(first..<expected.upperBound)
                if first == expected.upperBound {
                    entries.append(nil)
                    continue
                }
                let entry = try file.entry(tensorName(index))
                let shape = [expected.upperBound - first, layer.blockBytes]
                guard entry.dtype == .u8, entry.shape == shape else {
                    throw TensorsError.wrongTensor(
                        file: path, tensor: entry.name, expected: "\(DType.u8.rawValue) \(shape)",
                        found: "\(entry.dtype.rawValue) \(entry.shape)")
                }
                guard entry.range.lowerBound % 64 == 0 else {
                    throw CachesError.damaged(file: path, what: "tensor '\(entry.name)' is not 64-byte aligned")
                }
                entries.append(entry)
            }
            self.held = held
            self.entries = entries
            let checksumEntry = try file.entry("checksums")
            let blocks = held.reduce(0) { $0 + $1.count }
            guard checksumEntry.dtype == .u32, checksumEntry.shape == [blocks + 1] else {
                throw CachesError.damaged(file: path, what: "its checksums are not those of \(blocks) blocks")
            }
            checksums = file.bytes(of: checksumEntry).loadArray(of: UInt32.self)
        }

        func bytes(layer: Int, block: Int) -> UnsafeRawBufferPointer {
            let all = file.bytes(of: entries[layer]!)
            let size = layout.layers[layer].blockBytes
            let start = (block - held[layer].lowerBound) * size
            return UnsafeRawBufferPointer(rebasing: all[start..<(start + size)])
        }

        func verify(workers: WorkerPool) throws {
            let places = held.indices.flatMap { layer in held[layer].map { (layer: layer, block: $0) } }
            let found = [UInt32](unsafeUninitializedCapacity: places.count) { sums, count in
                workers.run(places.count) { index, _ in
                    let bytes = bytes(layer: places[index].layer, block: places[index].block)
                    sums[index] = kl_crc32c(0, bytes.baseAddress!, bytes.count)
                }
                count = places.count
            }
            if let bad = found.indices.first(where: { found[$0] != checksums[$0] }) {
                throw CachesError.damaged(
                    file: file.file.path,
                    what: "block \(places[bad].block) of layer \(places[bad].layer) does not match its checksum")
            }
            let sum = tokens.withUnsafeBytes { $0.isEmpty ? 0 : kl_crc32c(0, $0.baseAddress!, $0.count) }
            guard sum == checksums.last else {
                throw CachesError.damaged(file: file.file.path, what: "its tokens do not match their checksum")
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes as little-endian elements of `T`, copied; they need not be aligned.
    fileprivate func loadArray<T: FixedWidthInteger>(of type: T.Type) -> [T] {
        (0..<(count / MemoryLayout<T>.size)).map {
            T(littleEndian: loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self))
        }
    }
}
