import CKernels
import Crypto
import Foundation
import Schemes
import Tensors

/// A manifest as a safetensors file.
///
/// Metadata: `format`, `layout_version`, `agent`, `model`, `weights`, `tokenizer`, `rope`, `scheme`, `window_policy`,
/// `mla_form`, `block_tokens`, `spec` (JSON of the layers), `token_count`, `first_blocks`, `least_count` where a scheme has a
/// residual window, `text_sha256` where known, and `gaps` and `hops` where a card was taken in.
/// Tensors: `segments` I64 [runs, 8] (number, group, first block, blocks, first used, blocks used, file bytes, checksum of
/// the index), `tail` U8, `tokens` I32, and last `checksum` U32 [1]: the CRC-32C of every byte before it.
extension Manifest {
    /// - Returns: bytes that went to disk.
    func write(in folder: String, tail: UnsafeRawBufferPointer, key: SymmetricKey?) throws -> Int {
        precondition(tail.count == tailBytes)
        let rows = runs.flatMap { run in
            [
                run.segment, run.group, run.segmentFirst, run.segmentColumns, run.used.lowerBound, run.used.count,
                run.fileBytes, Int(run.indexChecksum),
            ].map { Int64($0) }
        }
        let header = SafetensorsWriter.headerBytes(
            metadata: try metadata(),
            tensors: [
                .init(name: "segments", dtype: .i64, shape: [runs.count, 8]),
                .init(name: "tail", dtype: .u8, shape: [tail.count]),
                .init(name: "tokens", dtype: .i32, shape: [looseTokens.count]),
                .init(name: "checksum", dtype: .u32, shape: [1]),
            ])
        let sink = try FileSink(folder: folder, name: Self.name, key: key)
        var checksum: UInt32 = 0
        func put(_ bytes: UnsafeRawBufferPointer) throws {
            guard !bytes.isEmpty else { return }
            checksum = kl_crc32c(checksum, bytes.baseAddress!, bytes.count)
            try sink.put(bytes)
        }
        try [UInt8](header).withUnsafeBytes(put)
        try rows.withUnsafeBytes(put)
        try put(tail)
        try looseTokens.withUnsafeBytes(put)
        try withUnsafeBytes(of: checksum.littleEndian, sink.put)
        try sink.finish()
        return sink.written
    }

    func metadata() throws -> [String: String] {
        var metadata = [
            "format": Self.format, "layout_version": Self.layoutVersion, "agent": agent, "model": identity.model,
            "weights": identity.weights, "tokenizer": identity.tokenizer, "rope": identity.rope,
            "scheme": layout.scheme.description, "window_policy": layout.windowPolicy.rawValue,
            "mla_form": layout.spec.mlaForm.rawValue, "block_tokens": "\(blockTokens)",
            "spec": try layout.spec.json(), "token_count": "\(tokenCount)",
            "first_blocks": firstBlocks.map(String.init).joined(separator: ","),
        ]
        if layout.hasResidual { metadata["least_count"] = "\(leastCount)" }
        metadata["text_sha256"] = textHash
        if gaps.contains(where: { $0 > 0 }) { metadata["gaps"] = gaps.map(String.init).joined(separator: ",") }
        if hops > 0 { metadata["hops"] = "\(hops)" }
        return metadata
    }

    /// Reads the manifest in `folder`.
    /// - Returns: the manifest, and its file's bytes with the place of the tail in them.
    /// - Throws: ``CachesError/damaged(file:what:)``, ``CachesError/mismatch(file:what:expected:found:)`` for another layout
    ///   version, ``CachesError/needsKey(file:)``, ``CachesError/wrongKey(file:)`` or a ``TensorsError``.
    static func read(in folder: String, key: SymmetricKey?) throws -> (Manifest, FileImage, tail: Range<Int>) {
        let image = try FileImage(path: "\(folder)/\(name)", name: name, key: key)
        let bytes = image.bytes
        let header = try checkedHeader(image)
        func entry(_ name: String, _ dtype: DType, rank: Int) throws -> SafetensorsFile.Entry {
            guard let entry = header.entries[name], entry.dtype == dtype, entry.shape.count == rank else {
                throw CachesError.damaged(file: image.path, what: "it has no tensor '\(name)' of \(dtype.rawValue)")
            }
            return entry
        }
        guard header.metadata["format"] == format else {
            throw CachesError.mismatch(
                file: image.path, what: "format", expected: format, found: header.metadata["format"] ?? "none")
        }
        var manifest = try describing(metadata: header.metadata, file: image.path)
        let runEntry = try entry("segments", .i64, rank: 2)
        let tokenEntry = try entry("tokens", .i32, rank: 1)
        let tailEntry = try entry("tail", .u8, rank: 1)
        guard runEntry.shape[1] == 8 else {
            throw CachesError.damaged(file: image.path, what: "its segments are not described by 8 numbers each")
        }
        manifest.runs = try (0..<runEntry.shape[0]).map { try run(bytes, runEntry.range.lowerBound + $0 * 64, image.path) }
        manifest.looseTokens = (0..<tokenEntry.shape[0]).map {
            Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: tokenEntry.range.lowerBound + 4 * $0, as: Int32.self))
        }
        try manifest.check(image.path)
        guard tailEntry.range.count == manifest.tailBytes else {
            throw CachesError.damaged(file: image.path, what: "the rows of its last block are not all there")
        }
        return (manifest, image, tailEntry.range)
    }

    /// What the metadata says, without segments and tokens.
    /// - Throws: ``CachesError/damaged(file:what:)`` or ``CachesError/mismatch(file:what:expected:found:)``.
    static func describing(metadata: [String: String], file: String) throws -> Manifest {
        func text(_ key: String) throws -> String {
            guard let value = metadata[key] else {
                throw CachesError.damaged(file: file, what: "its header has no '\(key)'")
            }
            return value
        }
        func number(_ key: String, _ text: some StringProtocol) throws -> Int {
            guard let value = Int(text), (0..<1 << 40).contains(value) else {
                throw CachesError.damaged(file: file, what: "'\(key)' is no number")
            }
            return value
        }
        func numbers(_ key: String) throws -> [Int] { try text(key).split(separator: ",").map { try number(key, $0) } }
        for (key, expected) in [("layout_version", layoutVersion), ("block_tokens", "\(blockTokens)")]
        where try text(key) != expected {
            throw CachesError.mismatch(
                file: file, what: key.replacingOccurrences(of: "_", with: " "), expected: expected, found: try text(key))
        }
        guard let spec = ModelCacheSpec(json: try text("spec")), let policy = WindowPolicy(rawValue: try text("window_policy"))
        else { throw CachesError.damaged(file: file, what: "its header does not say what its layers are") }
        let layout = try CacheLayout(
            spec: spec, scheme: CacheScheme(expression: try text("scheme")), windowPolicy: policy)
        let manifest = Manifest(
            agent: try text("agent"),
            identity: CacheIdentity(
                model: try text("model"), weights: try text("weights"), tokenizer: try text("tokenizer"),
                rope: try text("rope")),
            layout: layout, textHash: metadata["text_sha256"], tokenCount: try number("token_count", try text("token_count")),
            leastCount: layout.hasResidual ? try number("least_count", try text("least_count")) : 0,
            firstBlocks: try numbers("first_blocks"),
            gaps: metadata["gaps"] == nil ? try numbers("first_blocks").map { _ in 0 } : try numbers("gaps"),
            hops: try metadata["hops"].map { try number("hops", $0) } ?? 0, runs: [], looseTokens: [])
        try manifest.checkWindows(file)
        return manifest
    }

    /// The header, once all bytes of the file are known to be as they were written.
    private static func checkedHeader(_ image: FileImage) throws -> SafetensorsHeader {
        let bytes = image.bytes
        let body = bytes.count - 4
        guard body > 8,
            kl_crc32c(0, bytes.baseAddress!, body)
                == UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: body, as: UInt32.self))
        else { throw CachesError.damaged(file: image.path, what: "it does not match its checksum") }
        return try SafetensorsHeader(bytes: bytes, file: image.path)
    }

    private static func run(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ file: String) throws -> Run {
        let row = (0..<8).map {
            Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8 * $0, as: Int64.self)))
        }
        guard row.allSatisfy({ (0..<1 << 48).contains($0) }), let checksum = UInt32(exactly: row[7]) else {
            throw CachesError.damaged(file: file, what: "a segment is described by impossible numbers")
        }
        return Run(
            segment: row[0], group: row[1], segmentFirst: row[2], segmentColumns: row[3],
            used: row[4]..<(row[4] + row[5]), fileBytes: row[6], indexChecksum: checksum)
    }
}

extension ModelCacheSpec {
    /// As the headers of files have it.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// nil for what is no JSON of layers that a model can have.
    init?(json: String) {
        guard let spec = try? JSONDecoder().decode(ModelCacheSpec.self, from: Data(json.utf8)), spec.isPossible else {
            return nil
        }
        self = spec
    }

    /// Whether a model can have such layers.
    private var isPossible: Bool {
        (1...4096).contains(layers.count)
            && layers.allSatisfy {
                (1...4096).contains($0.kvHeads) && (1...65_536).contains($0.keyWidth) && (0...65_536).contains($0.valueWidth)
                    && ($0.window ?? 1) >= 1
            }
    }
}
