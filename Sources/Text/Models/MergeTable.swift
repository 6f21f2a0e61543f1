/// Which two symbols join, in what order of preference, and to what: (left id, right id) → (rank, new id).
struct MergeTable: Sendable {
    /// What ``lookup(_:_:)`` gives for symbols that do not join.
    static let none = UInt64.max

    private struct Slot {
        var key: UInt64
        var value: UInt64
    }

    /// Open addressing, at most half full; a free slot has the key `UInt64.max`.
    private var slots: [Slot]
    private var shift: UInt64
    private(set) var count = 0
    private let seed: UInt64

    init(capacity: Int) {
        var bits: UInt64 = 6
        while 1 << bits < capacity * 2 { bits += 1 }
        shift = 64 - bits
        slots = Array(repeating: Slot(key: .max, value: Self.none), count: 1 << Int(bits))
        seed = UInt64.random(in: .min ... .max) | 1
    }

    /// The rank of the pair in the upper half and the id it becomes in the lower half; ``none`` where it does not join.
    @inline(__always)
    func lookup(_ left: Int32, _ right: Int32) -> UInt64 { slots[slot(of: Self.key(left, right))].value }

    /// Adds a pair; a pair that is there already takes the new rank, as in Hugging Face tokenizers.
    mutating func insert(_ left: Int32, _ right: Int32, rank: UInt32, id: Int32) {
        if (count + 1) * 2 > slots.count { grow() }
        let key = Self.key(left, right)
        let slot = slot(of: key)
        if slots[slot].key == .max { count += 1 }
        slots[slot] = Slot(key: key, value: UInt64(rank) << 32 | UInt64(UInt32(bitPattern: id)))
    }

    /// All pairs, in no order.
    var pairs: some Sequence<(left: Int32, right: Int32)> {
        slots.lazy.filter { $0.key != .max }.map {
            (Int32(truncatingIfNeeded: $0.key >> 32), Int32(truncatingIfNeeded: $0.key))
        }
    }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int((((key ^ key >> 29) &* 0x9E37_79B9_7F4A_7C15) &* seed) >> shift)
        while slots[slot].key != key, slots[slot].key != .max { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let old = slots
        shift -= 1
        slots = Array(repeating: Slot(key: .max, value: Self.none), count: old.count * 2)
        for entry in old where entry.key != .max { slots[slot(of: entry.key)] = entry }
    }
}
