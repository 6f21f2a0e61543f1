import Foundation

/// How rotary embedding turned the keys of a layer, and how it is taken back.
///
/// An angle is a 32-bit product of position and frequency, as models compute it. YaRN's factor stays on the keys.
public struct KVQuantRotary: Sendable, Equatable {
    /// First element that is turned.
    public let offset: Int
    /// Is element i paired with i + pairs? Neighbours are paired otherwise.
    public let pairsHalves: Bool
    /// Radians per position of each pair.
    public let frequencies: [Float]
    /// Cosine and sine of each pair at the first positions.
    private let table: [Float]
    private static let tablePositions = 4096

    public init(offset: Int, pairsHalves: Bool, frequencies: [Float]) {
        self.offset = offset
        self.pairsHalves = pairsHalves
        self.frequencies = frequencies
        table = (0..<Self.tablePositions).flatMap { Self.angles(frequencies, position: $0) }
    }

    public static func == (one: Self, other: Self) -> Bool {
        (one.offset, one.pairsHalves, one.frequencies) == (other.offset, other.pairsHalves, other.frequencies)
    }

    /// Turns the row of a key from position 0 to `position`, or back.
    public func turn(_ row: UnsafeMutablePointer<Float>, position: Int, back: Bool) {
        let pairs = frequencies.count
        guard position < Self.tablePositions else {
            return turn(row, angles: Self.angles(frequencies, position: position), back: back)
        }
        table.withUnsafeBufferPointer { turn(row, angles: $0.baseAddress! + position * 2 * pairs, back: back) }
    }

    private static func angles(_ frequencies: [Float], position: Int) -> [Float] {
        frequencies.flatMap { frequency -> [Float] in
            let angle = Float(position) * frequency
            return [cosf(angle), sinf(angle)]
        }
    }

    private func turn(_ row: UnsafeMutablePointer<Float>, angles: UnsafePointer<Float>, back: Bool) {
        let (pairs, sign): (Int, Float) = (frequencies.count, back ? -1 : 1)
        let (step, distance) = pairsHalves ? (1, pairs) : (2, 1)
        var x = row + offset
        for pair in 0..<pairs {
            let (cosine, sine) = (angles[2 * pair], sign * angles[2 * pair + 1])
            let (a, b) = (x[0], x[distance])
            x[0] = a * cosine - b * sine
            x[distance] = a * sine + b * cosine
            x += step
        }
    }
}
