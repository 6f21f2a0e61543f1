/// Damages files: bits, bytes, lengths that are on the edge of something, cuts, insertions, and parts of other samples.
struct Mutator {
    private var state: UInt64
    private let samples: [[UInt8]]

    init(seed: UInt64, samples: [[UInt8]]) {
        state = seed
        self.samples = samples
    }

    /// A sample with one to four damages.
    mutating func next() -> [UInt8] {
        var bytes = samples[random(samples.count)]
        for _ in 0...random(4) { damage(&bytes) }
        return bytes
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes = [UInt8(truncatingIfNeeded: random(256))] }
        // Most of what can break lies at the start.
        let place = random(2) == 0 ? random(min(bytes.count, 512)) : random(bytes.count)
        switch random(8) {
        case 0: bytes[place] ^= 1 << UInt8(random(8))
        case 1: bytes[place] = UInt8(random(256))
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random(16)))
        case 4: bytes.insert(contentsOf: (0...random(16)).map { _ in UInt8(random(256)) }, at: place)
        case 5: overwrite(&bytes, place, edge(8))
        case 6: overwrite(&bytes, place, edge(4))
        default:
            let other = samples[random(samples.count)]
            let start = random(other.count)
            let part = other[start..<min(other.count, start + 1 + random(64))]
            random(2) == 0 ? bytes.insert(contentsOf: part, at: place) : overwrite(&bytes, place, Array(part))
        }
    }

    /// A number of `size` bytes on the edge of something, or digits of one.
    private mutating func edge(_ size: Int) -> [UInt8] {
        let edges: [UInt64] = [
            0, 1, 2, 7, 8, 31, 32, 33, 255, 256, 65535, 1 << 16, 1 << 31, 1 << 32, 1 << 48, 1 << 62, 1 << 63, .max,
            .max - 7, 0x7fff_ffff, 0xffff_ffff,
        ]
        let value = edges[random(edges.count)]
        if random(4) == 0 { return Array("\(value)".utf8) }
        return (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    private func overwrite(_ bytes: inout [UInt8], _ place: Int, _ new: [UInt8]) {
        let end = min(bytes.count, place + new.count)
        bytes.replaceSubrange(place..<end, with: new[..<(end - place)])
    }

    /// SplitMix64, below `count`.
    private mutating func random(_ count: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((z ^ (z >> 31)) % UInt64(count))
    }
}
