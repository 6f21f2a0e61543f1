import CKernels
import Crypto
import Foundation

/// `python:FILE`: a scheme that a Python file defines with numpy, run in worker processes.
///
/// The file has `tile_bytes(width, kind)`, `encode(rows, kind)` and `decode(data, width, kind)`; see
/// `docs/adding-a-scheme.md`. What `encode` returns is what is stored, to the byte, and all that `decode` gets: the two run
/// in processes of their own.
///
/// - Layout: one plane of `tile_bytes` bytes for each tile of `TILE_TOKENS` tokens.
/// - Name: `python:FILE#` and the first eight hex digits of the file's SHA-256, so that results and cache files tell one
///   version of the file from another.
public struct PythonScheme: KVScheme {
    public static let prefix = "python:"

    let program: PythonProgram
    let kind: RowKind

    /// Opens `FILE` or `FILE#DIGITS`; a file is opened once.
    /// - Throws: ``SchemeError/python(file:problem:)`` when there is no such file, it has changed since the digits were
    ///   written, there is no Python with numpy, or the file does not define a scheme.
    static func open(_ text: some StringProtocol) throws -> PythonScheme {
        let sides = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let file = String(sides[0])
        guard let source = FileManager.default.contents(atPath: file) else {
            throw SchemeError.python(file: file, problem: "there is no such file, seen from \(FileManager.default.currentDirectoryPath)")
        }
        let digits = SHA256.hash(data: source).prefix(4).map { String(format: "%02x", $0) }.joined()
        if sides.count == 2, sides[1] != digits {
            throw SchemeError.python(file: file, problem: "it is another version than #\(sides[1]): now it is #\(digits)")
        }
        return PythonScheme(program: try PythonProgram.shared(file: file, source: source, digits: digits), kind: .keys)
    }

    public var name: String { "\(Self.prefix)\(program.file)#\(program.digits)" }
    public var summary: String { program.traits.summary ?? "a scheme in Python" }
    public var tileTokens: Int { program.traits[kind].tileTokens }
    public var residual: ResidualWindow { program.traits[kind].residual }
    public func scheme(for kind: RowKind) -> any KVScheme { PythonScheme(program: program, kind: kind) }

    public func planes(width: Int) throws -> [Plane] {
        let bytes = try program.tileBytes(width: width, kind)
        // A segment's planes start on cache lines.
        guard blockTokens / tileTokens * bytes % 64 == 0 else {
            throw SchemeError.python(
                file: program.file,
                problem: "a tile of \(tileTokens) tokens has \(bytes) bytes, which must be a multiple of \(64 * tileTokens / blockTokens)")
        }
        return [Plane("bytes", bytesPerTile: bytes, tileTokens: tileTokens)]
    }

    public func encode(
        _ rows: UnsafePointer<Float>, count: Int, stride: Int, at token: Int, into segment: Segment, isa: kl_isa
    ) {
        let width = segment.width
        let bytes = count / tileTokens * segment.bytesPerTile
        let out = segment.plane(0, token: token, as: UInt8.self)
        program.encoders.call(.encode, kind, width: width, tokens: count, bytes: bytes) { floats, _ in
            for row in 0..<count { (floats + row * width).update(from: rows + row * stride, count: width) }
        } result: { _, data in
            out.update(from: data, count: bytes)
        } failed: {
            out.update(repeating: 0, count: bytes)
        }
    }

    public func decode(
        _ segment: Segment, from token: Int, count: Int, into out: UnsafeMutablePointer<Float>, isa: kl_isa
    ) {
        let (width, tile) = (segment.width, tileTokens)
        // Whole tiles go to Python.
        let first = token / tile * tile
        let tokens = (token + count + tile - 1) / tile * tile - first
        let bytes = tokens / tile * segment.bytesPerTile
        program.decoders.call(.decode, kind, width: width, tokens: tokens, bytes: bytes) { _, data in
            data.update(from: segment.plane(0, token: first, as: UInt8.self), count: bytes)
        } result: { floats, _ in
            out.update(from: floats + (token - first) * width, count: count * width)
        } failed: {
            out.update(repeating: 0, count: count * width)
        }
    }

    public func check() throws { try program.check() }
}

extension Segment {
    /// Of the one plane.
    fileprivate var bytesPerTile: Int { offsets[0].step }
}
