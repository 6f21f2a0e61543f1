import Synchronization

/// 256 tokens of one layer. Its memory goes back to the pool with the last reference.
final class Block: @unchecked Sendable {
    /// Where a frozen block lies on disk.
    struct Place {
        /// The folder that wrote it; segment numbers mean something in there only.
        let folder: AgentFolder.Token
        /// Number of the segment file.
        let segment: Int
    }

    let pointer: UnsafeMutableRawPointer
    let byteCount: Int
    /// A frozen block is never written again: it lies in a file, or a snapshot holds it. Set by the agent's own thread
    /// before anyone else sees the block.
    private(set) var isFrozen: Bool

    private let slot: BlockPool.Slot?
    private let owner: AnyObject?
    private let pool: BlockPool
    private let stored: Mutex<Place?>

    /// A block in the pool's own memory.
    init(slot: BlockPool.Slot, byteCount: Int, pool: BlockPool) {
        pointer = slot.pointer
        self.byteCount = byteCount
        isFrozen = false
        self.slot = slot
        owner = nil
        self.pool = pool
        stored = Mutex(nil)
    }

    /// A block in memory that `owner` keeps, a mapped file for example.
    init(adopted bytes: UnsafeRawBufferPointer, owner: AnyObject, place: Place?, pool: BlockPool) {
        pointer = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
        byteCount = bytes.count
        isFrozen = true
        slot = nil
        self.owner = owner
        self.pool = pool
        stored = Mutex(place)
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: byteCount) }

    func freeze() { isFrozen = true }

    /// Where a save put the block; nil until one did.
    var place: Place? {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    deinit { pool.release(byteCount, slot: slot) }
}
