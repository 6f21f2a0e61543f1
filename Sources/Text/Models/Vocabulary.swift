/// Token texts and their ids, both ways. Texts are compared byte by byte: Swift's `String` would take canonically
/// equivalent tokens for one.
///
/// One buffer for all texts and one open-addressing table: 262,144 tokens take about 10 MB and no object each.
struct Vocabulary: Sendable {
    enum Problem: Equatable {
        case textTwice
        case idTwice(Int)
        case idOutOfRange
    }

    /// Ids are below this, so that a damaged file cannot ask for gigabytes.
    static let idLimit = 1 << 22

    private var bytes: [UInt8] = []
    /// Entry → first byte in `bytes`, and one more for the end of the last.
    private var starts: [UInt32] = [0]
    private var ids: [Int32] = []
    /// Id → entry, −1 where no token has the id.
    private var entryOfID: [Int32] = []
    /// Hash table of entries, −1 where free; at most half full.
    private var slots: [Int32]
    private let seed: UInt64

    init(capacity: Int) {
        var size = 64
        while size < capacity * 2 { size *= 2 }
        slots = Array(repeating: -1, count: size)
        seed = UInt64.random(in: .min ... .max)
        starts.reserveCapacity(capacity + 1)
        ids.reserveCapacity(capacity)
        bytes.reserveCapacity(capacity * 8)
    }

    /// Number of tokens.
    var count: Int { ids.count }

    /// One more than the highest id.
    var idEnd: Int { entryOfID.count }

    /// Adds a token, or says why it cannot be one.
    mutating func insert(_ text: UTF8Text, id: Int) -> Problem? {
        guard (0..<Self.idLimit).contains(id) else { return .idOutOfRange }
        if id < entryOfID.count, entryOfID[id] >= 0 { return .idTwice(id) }
        let slot = slot(of: text)
        guard slots[slot] < 0 else { return .textTwice }

        let entry = Int32(ids.count)
        slots[slot] = entry
        bytes.append(contentsOf: text)
        starts.append(UInt32(bytes.count))
        ids.append(Int32(id))
        while entryOfID.count <= id { entryOfID.append(-1) }
        entryOfID[id] = entry
        if ids.count * 2 > slots.count { grow() }
        return nil
    }

    /// The id of a token, or −1.
    func id(of text: UTF8Text) -> Int32 {
        let entry = slots[slot(of: text)]
        return entry < 0 ? -1 : ids[Int(entry)]
    }

    func id(of text: [UInt8]) -> Int32 { text.withUnsafeBufferPointer { id(of: $0) } }

    /// The text of a token, or nil where no token has the id.
    func text(of id: Int) -> ArraySlice<UInt8>? {
        guard (0..<entryOfID.count).contains(id), entryOfID[id] >= 0 else { return nil }
        let entry = Int(entryOfID[id])
        return bytes[Int(starts[entry])..<Int(starts[entry + 1])]
    }

    /// Calls `body` with each token in the order of insertion.
    func forEach<E: Error>(_ body: (UTF8Text, Int32) throws(E) -> Void) throws(E) {
        try bytes.withUnsafeBufferPointer { all throws(E) in
            for entry in ids.indices {
                let range = Int(starts[entry])..<Int(starts[entry + 1])
                try body(UTF8Text(rebasing: all[range]), ids[entry])
            }
        }
    }

    /// Where a text is in the table, or where it would be.
    private func slot(of text: UTF8Text) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash(text)) & mask
        while slots[slot] >= 0, !isEntry(Int(slots[slot]), text) { slot = (slot + 1) & mask }
        return slot
    }

    private func isEntry(_ entry: Int, _ text: UTF8Text) -> Bool {
        let start = Int(starts[entry])
        guard Int(starts[entry + 1]) - start == text.count else { return false }
        for k in 0..<text.count where bytes[start + k] != text[k] { return false }
        return true
    }

    private func hash(_ text: UTF8Text) -> UInt64 {
        var hash = seed ^ UInt64(text.count)
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        hash ^= hash >> 32
        hash = hash &* 0x9E37_79B9_7F4A_7C15
        return hash ^ hash >> 29
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        let mask = slots.count - 1
        bytes.withUnsafeBufferPointer { all in
            for entry in ids.indices {
                let text = UTF8Text(rebasing: all[Int(starts[entry])..<Int(starts[entry + 1])])
                var slot = Int(truncatingIfNeeded: hash(text)) & mask
                while slots[slot] >= 0 { slot = (slot + 1) & mask }
                slots[slot] = Int32(entry)
            }
        }
    }
}
