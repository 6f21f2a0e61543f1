import Synchronization
import Tensors

/// Memory for cache blocks under a byte budget.
///
/// Blocks belong to one agent at a time; memory that goes back is zeroed before another agent gets it. Blocks of a size
/// are cut from slabs of some MiB, so that no page is lost to rounding: overhead at most 2 %, held by
/// `BlockPoolTests.overhead`. Memory kept for reuse counts against the budget as soon as something else needs it.
/// When the budget is full, whoever was set with ``onPressure(_:)`` is asked for room before anything is refused.
public final class BlockPool: Sendable {
    public let budgetBytes: Int
    private let state = Mutex(State())
    /// Bytes of a slab, at least: whole huge pages where the system has them.
    static let slabBytes = 4 << 20

    /// One block's place in a slab.
    struct Slot: Sendable {
        let slab: AlignedBuffer
        let offset: Int
        /// Was it handed out before? Then it must be zeroed.
        var isUsed = false

        var pointer: UnsafeMutableRawPointer { slab.pointer + offset }
    }

    private struct State {
        var statistics = Statistics()
        /// Slots whose memory is resident, and slots whose memory is not, by block size.
        var spare: [Int: [Slot]] = [:]
        var empty: [Int: [Slot]] = [:]
        var spareBytes = 0
        var pressure: (@Sendable (_ neededBytes: Int) -> Bool)?
    }

    /// What a pool did.
    public struct Statistics: Sendable, Equatable {
        /// Bytes of blocks that are held now, in the pool's memory or adopted.
        public var usedBytes = 0
        /// The most that was ever held at once.
        public var peakBytes = 0
        /// Blocks handed out from the pool's memory, and those of them that another agent had before.
        public var allocations = 0
        public var recycled = 0
        /// Blocks in mapped files or other memory that the pool only counts.
        public var adoptions = 0
        /// Requests that found the budget full, and those of them that were refused in the end.
        public var pressures = 0
        public var refusals = 0
    }

    public init(budgetBytes: Int) {
        self.budgetBytes = budgetBytes
    }

    public var usedBytes: Int { statistics.usedBytes }
    public var peakBytes: Int { statistics.peakBytes }
    public var statistics: Statistics { state.withLock { $0.statistics } }

    /// Sets who is asked for room when the budget is full.
    /// - Parameter free: gets the bytes that are missing, lets go of blocks, and says whether it is worth trying again.
    ///   It is called on the thread that asks for a block, and must not ask for blocks itself.
    public func onPressure(_ free: (@Sendable (_ neededBytes: Int) -> Bool)?) {
        state.withLock { $0.pressure = free }
    }

    /// A zeroed block of `byteCount` bytes.
    /// - Throws: ``CachesError/budgetExceeded(needed:used:budget:)``, or what the system says when it has no memory.
    func allocate(_ byteCount: Int) throws -> Block {
        try charge(byteCount)
        do {
            let slot = try state.withLock { try Self.take(byteCount, from: &$0) }
            if slot.isUsed { slot.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount) }
            return Block(slot: slot, byteCount: byteCount, pool: self)
        } catch {
            state.withLock { $0.statistics.usedBytes -= byteCount }
            throw error
        }
    }

    /// A piece of memory that belongs to someone else.
    struct Adoption {
        let bytes: UnsafeRawBufferPointer
        let owner: AnyObject
        let place: Block.Place?
    }

    /// Blocks that lie in a mapped file or in other memory, all or none.
    /// - Throws: ``CachesError/budgetExceeded(needed:used:budget:)``.
    func adopt(_ pieces: [Adoption]) throws -> [Block] {
        try charge(pieces.reduce(0) { $0 + $1.bytes.count })
        state.withLock { $0.statistics.adoptions += pieces.count }
        return pieces.map { Block(adopted: $0.bytes, owner: $0.owner, place: $0.place, pool: self) }
    }

    private func charge(_ byteCount: Int) throws {
        var (missing, pressure) = state.withLock { Self.charge(byteCount, to: &$0, budget: budgetBytes) }
        guard missing > 0 else { return }
        state.withLock { $0.statistics.pressures += 1 }
        while let free = pressure, free(missing) {
            (missing, pressure) = state.withLock { Self.charge(byteCount, to: &$0, budget: budgetBytes) }
            if missing <= 0 { return }
        }
        let used = state.withLock { state in
            state.statistics.refusals += 1
            return state.statistics.usedBytes
        }
        throw CachesError.budgetExceeded(needed: byteCount, used: used, budget: budgetBytes)
    }

    /// - Returns: bytes that are missing, and who may know more; 0 when the bytes were charged.
    private static func charge(
        _ byteCount: Int, to state: inout State, budget: Int
    ) -> (missing: Int, pressure: (@Sendable (Int) -> Bool)?) {
        let missing = byteCount - (budget - state.statistics.usedBytes)
        guard missing <= 0 else { return (missing, state.pressure) }
        state.statistics.usedBytes += byteCount
        state.statistics.peakBytes = max(state.statistics.peakBytes, state.statistics.usedBytes)
        // Spare memory makes room, that of other sizes first.
        for size in state.spare.keys.sorted(by: { $0 != byteCount && $1 == byteCount }) {
            while state.statistics.usedBytes + state.spareBytes - (size == byteCount ? byteCount : 0) > budget,
                let slot = state.spare[size]!.popLast()
            {
                slot.slab.discard(slot.offset..<(slot.offset + size))
                state.spareBytes -= size
                state.empty[size, default: []].append(slot)
            }
        }
        return (0, nil)
    }

    private static func take(_ byteCount: Int, from state: inout State) throws -> Slot {
        state.statistics.allocations += 1
        if let slot = state.spare[byteCount]?.popLast() {
            state.spareBytes -= byteCount
            state.statistics.recycled += 1
            return slot
        }
        if state.empty[byteCount]?.isEmpty ?? true {
            let count = max(1, (slabBytes + byteCount - 1) / byteCount)
            let slab = try AlignedBuffer(byteCount: count * byteCount)
            state.empty[byteCount] = (0..<count).reversed().map { Slot(slab: slab, offset: $0 * byteCount) }
        }
        return state.empty[byteCount]!.removeLast()
    }

    func release(_ byteCount: Int, slot: Slot?) {
        state.withLock { state in
            state.statistics.usedBytes -= byteCount
            guard var slot else { return }
            slot.isUsed = true
            state.spare[byteCount, default: []].append(slot)
            state.spareBytes += byteCount
        }
    }

    /// Gives spare memory back to the system.
    public func trim() {
        state.withLock { state in
            for (size, slots) in state.spare {
                for slot in slots { slot.slab.discard(slot.offset..<(slot.offset + size)) }
                state.empty[size, default: []] += slots
            }
            state.spare = [:]
            state.spareBytes = 0
            // Slabs that no block lies in.
            for (size, slots) in state.empty {
                let counts = slots.reduce(into: [ObjectIdentifier: Int]()) { $0[ObjectIdentifier($1.slab), default: 0] += 1 }
                state.empty[size] = slots.filter {
                    counts[ObjectIdentifier($0.slab)]! < $0.slab.byteCount / size
                }
            }
        }
    }
}
