import Synchronization
import Tensors

/// Memory for cache blocks under a byte budget.
///
/// Blocks belong to one agent at a time; memory that goes back is zeroed before another agent gets it.
/// Memory kept for reuse counts against the budget as soon as something else needs it.
public final class BlockPool: Sendable {
    public let budgetBytes: Int
    private let state = Mutex(State())

    private struct State {
        var used = 0
        var peak = 0
        var spare: [Int: [AlignedBuffer]] = [:]
        var spareBytes = 0
    }

    public init(budgetBytes: Int) {
        self.budgetBytes = budgetBytes
    }

    /// Bytes of blocks that are held now, in memory or mapped.
    public var usedBytes: Int { state.withLock { $0.used } }
    /// The most that was ever held at once.
    public var peakBytes: Int { state.withLock { $0.peak } }

    /// A zeroed block of `byteCount` bytes.
    /// - Throws: ``CachesError/budgetExceeded(needed:used:budget:)``, or what the system says when it has no memory.
    func allocate(_ byteCount: Int) throws -> Block {
        let recycled = try state.withLock { state in
            try Self.charge(byteCount, to: &state, budget: budgetBytes)
            guard let buffer = state.spare[byteCount]?.popLast() else { return AlignedBuffer?.none }
            state.spareBytes -= byteCount
            return buffer
        }
        if let recycled {
            recycled.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            return Block(owned: recycled, pool: self)
        }
        do {
            return Block(owned: try AlignedBuffer(byteCount: byteCount), pool: self)
        } catch {
            state.withLock { $0.used -= byteCount }
            throw error
        }
    }

    /// A block that lies in a mapped file.
    func adopt(_ bytes: UnsafeRawBufferPointer, of file: SafetensorsFile) throws -> Block {
        try state.withLock { try Self.charge(bytes.count, to: &$0, budget: budgetBytes) }
        return Block(mapped: bytes, file: file, pool: self)
    }

    private static func charge(_ byteCount: Int, to state: inout State, budget: Int) throws {
        guard state.used + byteCount <= budget else {
            throw CachesError.budgetExceeded(needed: byteCount, used: state.used, budget: budget)
        }
        state.used += byteCount
        state.peak = max(state.peak, state.used)
        // Spare memory of another size makes room.
        while state.used + state.spareBytes > budget, let size = state.spare.first(where: { !$0.value.isEmpty })?.key {
            if size == byteCount && state.used + state.spareBytes - byteCount <= budget { break }
            state.spare[size]!.removeLast()
            state.spareBytes -= size
        }
    }

    fileprivate func release(_ byteCount: Int, buffer: AlignedBuffer?) {
        state.withLock { state in
            state.used -= byteCount
            guard let buffer else { return }
            state.spare[byteCount, default: []].append(buffer)
            state.spareBytes += byteCount
        }
    }

    /// Gives spare memory back to the system.
    public func trim() {
        state.withLock { state in
            state.spare = [:]
            state.spareBytes = 0
        }
    }
}

/// 256 tokens of one layer. Its memory goes back to the pool with the last reference.
final class Block: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    let byteCount: Int
    /// A mapped block is read-only.
    var isMapped: Bool { file != nil }

    private let buffer: AlignedBuffer?
    private let file: SafetensorsFile?
    private let pool: BlockPool

    fileprivate init(owned buffer: AlignedBuffer, pool: BlockPool) {
        pointer = buffer.pointer
        byteCount = buffer.byteCount
        self.buffer = buffer
        file = nil
        self.pool = pool
    }

    fileprivate init(mapped bytes: UnsafeRawBufferPointer, file: SafetensorsFile, pool: BlockPool) {
        pointer = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
        byteCount = bytes.count
        buffer = nil
        self.file = file
        self.pool = pool
    }

    deinit { pool.release(byteCount, buffer: buffer) }
}
