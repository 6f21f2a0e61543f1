import CKernels
import Foundation
import Schemes
import Tensors
import Testing

/// Schemes in Python. They need a Python with numpy; without one there is a sentence, and no more to test.
@Suite struct PythonSchemeTests {
    private static let examples = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "examples/python").path

    /// Whether schemes in Python work here; what else may be said is that there is no Python or no numpy.
    private static let works: Bool = {
        do {
            _ = try SchemeRegistry.scheme(named: "python:\(examples)/kivi2.py")
            return true
        } catch {
            let text = "\(error)"
            #expect(text.contains("has no numpy") || text.contains("Python cannot be started"), "\(text)")
            return false
        }
    }()

    private static func rows(_ count: Int, width: Int) -> [Float] {
        var bytes = [UInt8](repeating: 0, count: count * width)
        kl_random_bytes(1, 0, &bytes, bytes.count)
        return bytes.map { Float($0) / 100 - 1 }
    }

    /// What a segment of `rows` gives back.
    private func roundTrip(_ scheme: any KVScheme, _ rows: [Float], width: Int, from first: Int = 0, count: Int) throws -> [Float] {
        let layout = try SegmentLayout(scheme: scheme, width: width)
        let memory = try AlignedBuffer(byteCount: layout.byteCount)
        let segment = layout.segment(at: memory.pointer)
        scheme.encode(rows, count: rows.count / width, stride: width, at: 0, into: segment, isa: KL_SCALAR)
        return [Float](unsafeUninitializedCapacity: count * width) { out, filled in
            scheme.decode(segment, from: first, count: count, into: out.baseAddress!, isa: KL_SCALAR)
            filled = count * width
        }
    }

    /// A file with these lines after functions that store floats as they are.
    private func open(_ lines: String) throws -> any KVScheme {
        let path = FileManager.default.temporaryDirectory.appending(path: "kvlab-\(UUID().uuidString).py").path
        let source = """
            import numpy as np
            def tile_bytes(width, kind): return 4 * width
            def encode(rows, kind): return np.ascontiguousarray(rows).view(np.uint8)
            def decode(data, width, kind): return data.view(np.float32)

            """
        try Data((source + lines).utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try SchemeRegistry.scheme(named: "python:\(path)")
    }

    private func failure(_ lines: String) throws -> String {
        do {
            let scheme = try open(lines)
            _ = try roundTrip(scheme, Self.rows(256, width: 64), width: 64, count: 256)
            try scheme.check()
            return "nothing"
        } catch let error as SchemeError {
            return "\(error)"
        }
    }

    /// KIVI in Python is KIVI: the same bytes per element, tiles and windows, the same numbers back, from any token on.
    @Test(.enabled(if: works), arguments: RowKind.allCases)
    func kiviInPython(kind: RowKind) throws {
        let ours = try SchemeRegistry.scheme(named: "kivi-2").scheme(for: kind)
        let theirs = try SchemeRegistry.scheme(named: "python:\(Self.examples)/kivi2.py").scheme(for: kind)
        #expect(theirs.tileTokens == ours.tileTokens && theirs.residual == ours.residual)
        for width in [64, 128] {
            #expect(try theirs.bitsPerElement(width: width) == ours.bitsPerElement(width: width))
            let rows = Self.rows(256, width: width)
            for (first, count) in [(0, 256), (39, 70)] {
                #expect(try roundTrip(theirs, rows, width: width, from: first, count: count)
                    == roundTrip(ours, rows, width: width, from: first, count: count))
            }
        }
        try theirs.check()
    }

    /// The name tells versions apart, may be written without its digits, and goes into expressions and wrappers.
    @Test(.enabled(if: works)) func names() throws {
        let path = "python:\(Self.examples)/kivi2.py"
        let name = try SchemeRegistry.scheme(named: path).name
        #expect(name.hasPrefix(path + "#") && name.count == path.count + 9)
        #expect(try SchemeRegistry.scheme(named: name).name == name)
        #expect(try CacheScheme(expression: "layers 0: fp16; rest: k=\(path),v=q4_0").description
            == "layers 0: fp16; rest: k=\(name),v=q4_0")
        #expect(try CacheScheme(expression: "hadamard-64(\(path))").description == "hadamard-64(\(name))")
        let error = #expect(throws: SchemeError.self) { try SchemeRegistry.scheme(named: path + "#00000000") }
        #expect("\(error!)".contains("it is another version than #00000000: now it is #\(name.suffix(8))"))
    }

    /// What is not in the bytes is not there to decode.
    @Test(.enabled(if: works)) func scalesThatWereNotStored() throws {
        let scheme = try SchemeRegistry.scheme(named: "python:\(Self.examples)/broken.py")
        #expect(try roundTrip(scheme, Self.rows(256, width: 64), width: 64, count: 256).allSatisfy { $0 == 0 })
        let error = #expect(throws: SchemeError.self) { try scheme.check() }
        #expect("\(error!)".contains("broken.py' cannot be used: line 27: IndexError: list index out of range"), "\(error!)")
    }

    @Test(.enabled(if: works), arguments: [
        ("", "nothing"),
        ("def encode(rows, kind): return rows", "encode returned float32 for keys, and not uint8."),
        ("def encode(rows, kind): return rows.astype(np.uint8)", "encode returned 16384 bytes for 256 rows of keys of 64 elements, and 65536 were declared."),
        ("def encode(rows, kind): return 1 / 0", "line 5: ZeroDivisionError: division by zero."),
        ("def decode(data, width, kind): return np.full((len(data), width), np.nan)", "decode returned NaN or infinity for keys of 64 elements."),
        ("def decode(data, width, kind): return np.zeros(3)", "decode returned 3 numbers for 256 rows of keys of 64 elements."),
        ("def tile_bytes(width, kind): return 0.5", "tile_bytes(64, 'keys') is 0.5, and not a number of bytes."),
        ("def tile_bytes(width, kind): return None", "tile_bytes says that keys of 64 elements cannot be stored."),
        ("import os\ndef decode(data, width, kind): os._exit(3)", "its worker ended in the middle of a call"),
        ("decode = 3", "it defines no function decode; see docs/adding-a-scheme.md."),
        ("x = (", "line 5: SyntaxError"),
        ("TILE_TOKENS = 3", "TILE_TOKENS is 3, which does not divide 256."),
        ("TILE_TOKENS = 32\nRESIDUAL_TOKENS = 40", "RESIDUAL_TOKENS is 40, which is no multiple of 32 up to 4096."),
        ("RESIDUAL_RULE = 'some'", "RESIDUAL_RULE is 'some'; write 'rolling' or 'whole'."),
        ("TILE_TOKENS = 256\ndef tile_bytes(width, kind): return 100", "which must be a multiple of 64."),
    ])
    func mistakes(lines: String, said: String) throws {
        let found = try failure(lines)
        #expect(found.contains(said), "\(found)")
    }

    @Test func noSuchFile() {
        let error = #expect(throws: SchemeError.self) { try SchemeRegistry.scheme(named: "python:nowhere.py") }
        #expect("\(error!)".hasPrefix("The Python scheme 'nowhere.py' cannot be used: there is no such file, seen from "))
    }
}
