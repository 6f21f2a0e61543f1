import CKernels

/// An orthonormal rotation of rows.
///
/// A rotation spreads outliers over many elements, and keeps scalar products: q·k = (Rq)·(Rk).
public struct Rotation: Sendable, Equatable {
    private enum Kind: Equatable {
        case blocks(Int)
        case random(seed: UInt64)
        case pairs
    }
    private let kind: Kind
    private let signs: [Float]

    /// Walsh–Hadamard transform of every `size` elements, a power of two.
    public static func hadamard(block size: Int) -> Rotation {
        precondition(size > 0 && size & (size - 1) == 0)
        return Rotation(kind: .blocks(size), signs: [])
    }

    /// The halves of a row dealt out in turns: nothing but another order.
    public static let pairs = Rotation(kind: .pairs, signs: [])

    /// Randomized Hadamard transform: signs drawn from the seed, then a Walsh–Hadamard transform over blocks of B, the
    /// largest power of two that divides the width. Where B is not the whole width, the elements are dealt out so that every
    /// new block has some of each old one, and signs and transform follow once more.
    public static func random(seed: UInt64) -> Rotation {
        var bytes = [UInt8](repeating: 0, count: signCount / 8)
        kl_random_bytes(seed, 0, &bytes, bytes.count)
        return Rotation(
            kind: .random(seed: seed), signs: (0..<signCount).map { bytes[$0 / 8] >> ($0 % 8) & 1 == 1 ? -1 : 1 })
    }

    /// Signs that are drawn; wider rows begin with the first again.
    private static let signCount = 2048
    /// Where the signs of the second round begin.
    private static let secondRound = signCount / 2

    /// Widths must be a multiple of this.
    public var multiple: Int {
        switch kind {
        case .blocks(let size): size
        case .random: 8
        case .pairs: 2
        }
    }

    /// Rotates rows [count, width] in place.
    public func apply(_ rows: UnsafeMutablePointer<Float>, count: Int, width: Int, isa: kl_isa) {
        switch kind {
        case .blocks(let size): kl_hadamard(isa, rows, count * width, size)
        case .random:
            let block = width & -width
            for row in 0..<count {
                let x = rows + row * width
                multiply(x, width, signsFrom: 0)
                kl_hadamard(isa, x, width, block)
                guard block < width else { continue }
                deal(x, width) { ($0 % block * (width / block) + $0 / block, $0) }
                multiply(x, width, signsFrom: Self.secondRound)
                kl_hadamard(isa, x, width, block)
            }
        case .pairs:
            for row in 0..<count { deal(rows + row * width, width) { ($0 / (width / 2) + $0 % (width / 2) * 2, $0) } }
        }
    }

    /// Takes back ``apply(_:count:width:isa:)``, but for rounding.
    public func undo(_ rows: UnsafeMutablePointer<Float>, count: Int, width: Int, isa: kl_isa) {
        switch kind {
        case .blocks(let size): kl_hadamard(isa, rows, count * width, size)
        case .random:
            let block = width & -width
            for row in 0..<count {
                let x = rows + row * width
                if block < width {
                    kl_hadamard(isa, x, width, block)
                    multiply(x, width, signsFrom: Self.secondRound)
                    deal(x, width) { ($0, $0 % block * (width / block) + $0 / block) }
                }
                kl_hadamard(isa, x, width, block)
                multiply(x, width, signsFrom: 0)
            }
        case .pairs:
            for row in 0..<count { deal(rows + row * width, width) { ($0, $0 / (width / 2) + $0 % (width / 2) * 2) } }
        }
    }

    private func multiply(_ x: UnsafeMutablePointer<Float>, _ width: Int, signsFrom start: Int) {
        for index in 0..<width { x[index] *= signs[(start + index) % Self.signCount] }
    }

    /// For every index, moves the element `move(index).1` to `move(index).0`.
    private func deal(_ x: UnsafeMutablePointer<Float>, _ width: Int, _ move: (Int) -> (Int, Int)) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { copy in
            let source = copy.baseAddress!
            source.initialize(from: x, count: width)
            for index in 0..<width {
                let (to, from) = move(index)
                x[to] = source[from]
            }
        }
    }
}
