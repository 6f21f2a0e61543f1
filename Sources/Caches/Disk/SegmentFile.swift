import CKernels
import Crypto
import Foundation
import Schemes
import Tensors

/// A segment: whole blocks of a group of layers, written once and never changed. A valid safetensors file.
///
/// Tensors, in order, each 64-byte aligned: `tokens` I32 [tokens], in the first group only; `checksums` U32, the CRC-32C of
/// every block, layer after layer, padded with zeros to a multiple of 16; `layers.N.blocks` U8 [columns, block bytes] for
/// each layer. Everything before the blocks is the index; its own checksum is in the manifest. Where things lie follows
/// from the layout and the number of columns alone, so that nothing is parsed when a segment is used.
struct SegmentFile {
    let layout: CacheLayout
    let group: CacheLayout.Group
    /// Whether the tokens of the columns are in the file.
    let hasTokens: Bool
    /// Blocks of every layer.
    let columns: Int

    static func name(_ number: Int) -> String { "segment-\(number).safetensors" }

    /// The number in a segment file's name.
    static func number(_ name: String) -> Int? {
        guard name.hasPrefix("segment-"), name.hasSuffix(".safetensors") else { return nil }
        return Int(name.dropFirst("segment-".count).dropLast(".safetensors".count))
    }

    private var tokenBytes: Int { hasTokens ? columns * blockTokens * MemoryLayout<Int32>.size : 0 }
    private var checksumCount: Int { (group.layers.count * columns + 15) / 16 * 16 }
    private var checksumBytes: Int { checksumCount * MemoryLayout<UInt32>.size }
    /// Bytes of all blocks.
    var blockBytes: Int { group.layers.reduce(0) { $0 + layout.layers[$1].blockBytes } * columns }

    private var declarations: [SafetensorsWriter.Declaration] {
        var all: [SafetensorsWriter.Declaration] = []
        if hasTokens { all.append(.init(name: "tokens", dtype: .i32, shape: [columns * blockTokens])) }
        all.append(.init(name: "checksums", dtype: .u32, shape: [checksumCount]))
        for layer in group.layers {
            all.append(
                .init(name: "layers.\(layer).blocks", dtype: .u8, shape: [columns, layout.layers[layer].blockBytes]))
        }
        return all
    }

    // MARK: Writing

    /// Writes the file.
    /// - Parameters:
    ///   - first: index of the first block.
    ///   - blocks: blocks of each layer of the group.
    /// - Returns: size, checksum of the index, and bytes that went to disk.
    func write(
        number: Int, in folder: String, key: SymmetricKey?, first: Int, tokens: ArraySlice<Int32>, blocks: [[Block]]
    ) throws -> (fileBytes: Int, indexChecksum: UInt32, written: Int) {
        var index = [UInt8](
            SafetensorsWriter.headerBytes(
                metadata: ["format": "kvlab-segment", "layout_version": Manifest.layoutVersion, "first_block": "\(first)"],
                tensors: declarations))
        if hasTokens { tokens.withUnsafeBytes { index.append(contentsOf: $0) } }
        var checksums = blocks.joined().map { kl_crc32c(0, $0.pointer, $0.byteCount) }
        checksums += [UInt32](repeating: 0, count: checksumCount - checksums.count)
        checksums.withUnsafeBytes { index.append(contentsOf: $0) }
        let sink = try FileSink(folder: folder, name: Self.name(number), key: key)
        try index.withUnsafeBytes(sink.put)
        for block in blocks.joined() { try sink.put(block.bytes) }
        try sink.finish()
        return (index.count + blockBytes, index.withUnsafeBytes { kl_crc32c(0, $0.baseAddress!, $0.count) }, sink.written)
    }

    // MARK: Reading

    /// Checks the index of the file.
    /// - Throws: ``CachesError/damaged(file:what:)``.
    func checkIndex(_ image: FileImage, fileBytes: Int, checksum: UInt32) throws {
        let bytes = image.bytes
        guard bytes.count == fileBytes, indexBytes(bytes) >= tokenBytes + checksumBytes else {
            throw CachesError.damaged(
                file: image.path, what: "it has \(bytes.count) bytes and its manifest says \(fileBytes)")
        }
        guard kl_crc32c(0, bytes.baseAddress!, indexBytes(bytes)) == checksum else {
            throw CachesError.damaged(file: image.path, what: "its header does not match its checksum")
        }
    }

    private func indexBytes(_ bytes: UnsafeRawBufferPointer) -> Int { bytes.count - blockBytes }

    /// Tokens of `columns` of a checked file.
    func tokens(_ image: FileImage, columns: Range<Int>) -> [Int32] {
        let bytes = image.bytes
        let start = indexBytes(bytes) - checksumBytes - tokenBytes
        return (columns.lowerBound * blockTokens..<columns.upperBound * blockTokens).map {
            Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + $0 * 4, as: Int32.self))
        }
    }

    /// The block of the `member`th layer of the group in column `column`.
    func block(_ image: FileImage, member: Int, column: Int) -> UnsafeRawBufferPointer {
        let bytes = image.bytes
        var start = indexBytes(bytes)
        for layer in group.layers[..<member] { start += layout.layers[layer].blockBytes * columns }
        let size = layout.layers[group.layers[member]].blockBytes
        return UnsafeRawBufferPointer(rebasing: bytes[(start + column * size)..<(start + (column + 1) * size)])
    }

    /// The checksum of a block, from a checked index.
    func checksum(_ image: FileImage, member: Int, column: Int) -> UInt32 {
        let bytes = image.bytes
        let start = indexBytes(bytes) - checksumBytes + (member * columns + column) * 4
        return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    }
}
