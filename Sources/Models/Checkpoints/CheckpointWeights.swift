import CKernels
import Synchronization
import Tensors

/// How far loading is.
public struct LoadingProgress: Sendable, Equatable {
    /// The file's tensor that was read last.
    public let tensor: String
    /// Bytes of the files' tensors that have been read, and of all of them.
    public let bytesRead: Int
    public let bytesTotal: Int
}

/// The weights of a checkpoint, kept in memory as asked for.
///
/// Matrices are read some rows at a time by all workers, and the file's memory is given back behind them: what is
/// resident at any time is what the model keeps, and some megabytes.
public final class CheckpointWeights: WeightSource {
    public let label: String
    public let identity: String

    private let tensors: any CheckpointTensors
    private let plan: WeightPlan
    private let execution: Execution
    private let progress: ((LoadingProgress) -> Void)?
    private let bytesTotal: Int
    private var bytesRead = 0
    private var read: Set<String> = []

    /// Rows that a worker converts at a time.
    private static let blockRows = Linear.panelRows
    /// Floats that are converted between two reports of progress, about.
    private static let chunkElements = 16 << 20

    init(
        tensors: any CheckpointTensors, plan: WeightPlan, identity: String, execution: Execution,
        progress: ((LoadingProgress) -> Void)?
    ) {
        self.tensors = tensors
        self.plan = plan
        label = plan.label
        self.identity = "\(plan.label) \(identity)"
        self.execution = execution
        self.progress = progress
        bytesTotal = tensors.files.reduce(0) { $0 + $1.ranges.reduce(0) { $0 + $1.count } }
    }

    /// - Throws: ``TensorsError/missingTensor(file:tensor:)``, ``TensorsError/wrongTensor(file:tensor:expected:found:)``,
    ///   ``ModelsError/badWeight(file:tensor:element:offset:value:)``, ``TensorsError/outOfMemory(bytes:)``.
    public func linear(_ matrices: [(name: String, rows: Int)], cols: Int) throws -> Linear {
        let stored = try matrices.map { try tensors.matrix($0.name, rows: $0.rows, cols: cols) }
        let storages = zip(stored, matrices).map { matrix, wanted in
            plan.storage(stored: matrix.storage, cols: cols, isRouter: wanted.name.hasSuffix(FolderNames.router))
        }
        let linear = try Linear(
            rows: matrices.reduce(0) { $0 + $1.rows }, cols: cols,
            storage: storages.dropFirst().reduce(storages[0]) { $0.joined(with: $1) })
        let scratch = try AlignedBuffer(
            count: execution.workers.threadCount * Self.blockRows * cols, of: Float.self)
        var start = 0
        for matrix in stored {
            try fill(linear, from: start, matrix, scratch)
            start += matrix.rows
        }
        return linear
    }

    public func vector(_ name: String, count: Int) throws -> [Float] {
        let (row, shift) = try tensors.vector(name, count: count)
        var values = [Float](repeating: 0, count: count)
        values.withUnsafeMutableBufferPointer { row.decode(row: 0, into: $0.baseAddress!) }
        let bad = Int(kl_first_beyond(values, count, .greatestFiniteMagnitude))
        guard bad < 0 else { throw error(row, BadElement(row: 0, col: bad, value: values[bad])) }
        finish(row, rows: 0..<1)
        return shift == 0 ? values : values.map { $0 + shift }
    }

    /// - Throws: ``ModelsError/unusedTensors(file:tensors:)`` if the model has left out tensors of its own.
    public func checkAllWereRead() throws {
        let unused = tensors.required.subtracting(read).sorted()
        guard unused.isEmpty else {
            throw ModelsError.unusedTensors(file: tensors.files[0].file.path, tensors: unused)
        }
    }

    private func fill(_ linear: Linear, from start: Int, _ matrix: any StoredMatrix, _ scratch: AlignedBuffer) throws {
        let cols = matrix.cols
        let chunkRows = max(Self.blockRows, Self.chunkElements / cols / Self.blockRows * Self.blockRows)
        let floats: UnsafeMutablePointer<Float> = scratch.bound()
        for chunkStart in stride(from: 0, to: matrix.rows, by: chunkRows) {
            let chunk = chunkStart..<min(chunkStart + chunkRows, matrix.rows)
            let first = Mutex<BadElement?>(nil)
            execution.workers.run((chunk.count + Self.blockRows - 1) / Self.blockRows) { block, worker in
                let row = chunk.lowerBound + block * Self.blockRows
                let rows = row..<min(row + Self.blockRows, chunk.upperBound)
                let bad = matrix.fill(
                    linear, from: start + row, rows: rows, scratch: floats + worker * Self.blockRows * cols,
                    isa: execution.isa)
                guard let bad else { return }
                first.withLock { if $0.map({ bad.row < $0.row }) ?? true { $0 = bad } }
            }
            if let bad = first.withLock({ $0 }) { throw error(matrix, bad) }
            finish(matrix, rows: chunk)
        }
    }

    private func finish(_ matrix: any StoredMatrix, rows: Range<Int>) {
        matrix.release(rows)
        read.formUnion(matrix.tensors)
        bytesRead += matrix.byteCount * rows.count / matrix.rows
        progress?(
            LoadingProgress(tensor: matrix.tensors[0], bytesRead: min(bytesRead, bytesTotal), bytesTotal: bytesTotal))
    }

    private func error(_ matrix: any StoredMatrix, _ bad: BadElement) -> ModelsError {
        .badWeight(
            file: matrix.file.path, tensor: matrix.tensors[0], element: bad.row * matrix.cols + bad.col,
            offset: matrix.offset(row: bad.row, col: bad.col), value: bad.value)
    }
}
