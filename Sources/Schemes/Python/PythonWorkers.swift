import Foundation
import Synchronization

/// Processes that run one Python file: as many as threads call at a time.
final class PythonWorkers: Sendable {
    private let file: String
    /// What all of them run, whatever becomes of the file.
    private let source: Data
    private let failure: PythonFailure
    private let idle = Mutex<[PythonWorker]>([])

    init(file: String, source: Data, failure: PythonFailure) {
        self.file = file
        self.source = source
        self.failure = failure
    }

    /// - Throws: ``SchemeError/python(file:problem:)``.
    func traits() throws -> PythonTraits {
        let worker = try take()
        defer { put(worker) }
        return try PythonTraits(json: worker.traits, file: file)
    }

    /// - Throws: ``SchemeError/python(file:problem:)``.
    func tileBytes(width: Int, _ kind: RowKind, tile: Int) throws -> Int {
        let worker = try take()
        let bytes = try worker.call(.declare, kind, width: width, tokens: tile, bytes: 0)
        put(worker)
        return bytes
    }

    /// One call: `fill` writes the floats or the bytes that Python reads, `result` reads the others. After a failure, which is
    /// noted, and whenever one was noted before, `failed` is called instead.
    func call(
        _ operation: PythonWorker.Operation, _ kind: RowKind, width: Int, tokens: Int, bytes: Int,
        fill: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<UInt8>) -> Void,
        result: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<UInt8>) -> Void, failed: () -> Void
    ) {
        guard tokens > 0 else { return }
        guard !failure.isNoted else { return failed() }
        do {
            let worker = try take()
            guard worker.holds(floats: tokens * width, bytes: bytes) else {
                throw SchemeError.python(
                    file: file, problem: "\(tokens) rows of \(width) elements are more than a worker takes at a time")
            }
            fill(worker.floats, worker.bytes)
            _ = try worker.call(operation, kind, width: width, tokens: tokens, bytes: bytes)
            result(worker.floats, worker.bytes)
            // One that failed is not used again.
            put(worker)
        } catch {
            failure.note(error as? SchemeError ?? .python(file: file, problem: "\(error)"))
            failed()
        }
    }

    private func take() throws -> PythonWorker {
        if let worker = idle.withLock({ $0.popLast() }) { return worker }
        return try PythonWorker(file: file, source: source)
    }

    private func put(_ worker: PythonWorker) { idle.withLock { $0.append(worker) } }
}
