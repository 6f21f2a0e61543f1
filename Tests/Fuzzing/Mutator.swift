/// Damages files: bits, bytes, lengths that are on the edge of something, cuts, insertions, parts of other samples, and,
/// for JSON, other numbers and values.
struct Mutator {
    private var state: UInt64
    private let samples: [[UInt8]]

    init(seed: UInt64, samples: [[UInt8]]) {
        state = seed
        self.samples = samples
    }

    /// A sample with one to four damages, and which one it is.
    mutating func next() -> (sample: Int, bytes: [UInt8]) {
        let sample = random(samples.count)
        var bytes = samples[sample]
        for _ in 0...random(4) { damage(&bytes) }
        return (sample, bytes)
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes = [UInt8(truncatingIfNeeded: random(256))] }
        // Most of what can break lies at the start.
        let place = random(min(bytes.count, [512, 4096, bytes.count][random(3)]))
        switch random(10) {
        case 0: bytes[place] ^= 1 << UInt8(random(8))
        case 1: bytes[place] = UInt8(random(256))
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random(16)))
        case 4: bytes.insert(contentsOf: (0...random(16)).map { _ in UInt8(random(256)) }, at: place)
        case 5: overwrite(&bytes, place, edge(8))
        case 6: overwrite(&bytes, place, edge(4))
        case 7: replaceNumber(&bytes, from: place)
        case 8: bytes.insert(contentsOf: Self.words[random(Self.words.count)].utf8, at: place)
        default:
            let other = samples[random(samples.count)]
            let start = random(other.count)
            let part = other[start..<min(other.count, start + 1 + random(64))]
            random(2) == 0 ? bytes.insert(contentsOf: part, at: place) : overwrite(&bytes, place, Array(part))
        }
    }

    /// What means something in JSON.
    private static let words = [
        "null", "true", "false", "[]", "{}", "\"\"", "-1", "{", "}", "[", "]", "\"", ",", ":", "\\", "\\ud800", "\u{0}",
    ]

    /// Other digits in place of the next ones.
    private mutating func replaceNumber(_ bytes: inout [UInt8], from place: Int) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let start = bytes[place...].firstIndex(where: digits.contains) else { return }
        let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
        let numbers = [
            "0", "1", "-1", "7", "0.5", "1e9", "1e400", "1e-400", "65536", "16777216", "4294967296", "9223372036854775807",
            "99999999999999999999",
        ]
        bytes.replaceSubrange(start..<end, with: Array(numbers[random(numbers.count)].utf8))
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
