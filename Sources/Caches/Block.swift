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
    /// One place for each folder.
    private let places: Mutex<[Place]>

    /// A block in the pool's own memory.
    init(slot: BlockPool.Slot, byteCount: Int, pool: BlockPool) {
        pointer = slot.pointer
        self.byteCount = byteCount
        isFrozen = false
        self.slot = slot
        owner = nil
        self.pool = pool
        places = Mutex([])
    }

    /// A block in memory that `owner` keeps, a mapped file for example.
    init(adopted bytes: UnsafeRawBufferPointer, owner: AnyObject, place: Place?, pool: BlockPool) {
        pointer = UnsafeMutableRawPointer(mutating: bytes.baseAddress!)
        byteCount = bytes.count
        isFrozen = true
        slot = nil
        self.owner = owner
        self.pool = pool
        places = Mutex(place.map { [$0] } ?? [])
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: byteCount) }

    func freeze() { isFrozen = true }

    /// The segment of `folder` that a save put the block in; nil until one did.
    func segment(in folder: AgentFolder.Token) -> Int? {
        places.withLock { $0.first { $0.folder === folder }?.segment }
    }

    func setPlace(_ place: Place) {
        places.withLock { places in
            places.removeAll { $0.folder === place.folder }
            places.append(place)
        }
    }

    deinit { pool.release(byteCount, slot: slot) }
}
