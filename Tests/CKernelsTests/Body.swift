import CKernels
import Testing

/// One instruction set that this processor runs.
struct Body: Sendable, CustomTestStringConvertible {
  let isa: kl_isa
  let testDescription: String

  static let scalar = Body(isa: KL_SCALAR, testDescription: "scalar")

  /// All but the scalar reference.
  static let simd = [
    Body(isa: KL_AVX2, testDescription: "AVX2"),
    Body(isa: KL_AVX512, testDescription: "AVX-512"),
    Body(isa: KL_AMX, testDescription: "AMX"),
    Body(isa: KL_NEON, testDescription: "NEON"),
  ].filter { kl_isa_supported($0.isa) }

  static let all = [scalar] + simd
}

/// Storage types of scales, in the order of their raw values.
struct Half: Sendable, CustomTestStringConvertible {
  let type: kl_half
  let testDescription: String

  static let all = [Half(type: KL_F16, testDescription: "f16"), Half(type: KL_BF16, testDescription: "bf16")]

  func rounded(_ x: [Float]) -> [UInt16] {
    var out = [UInt16](repeating: 0, count: x.count)
    kl_f32_to_half(KL_SCALAR, type, x, x.count, &out)
    return out
  }
}

/// Reproducible numbers.
struct Noise {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func bits() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 32 | state << 32
  }

  /// Even in −1 ..< 1.
  mutating func float() -> Float { Float(Int32(truncatingIfNeeded: bits())) * 0x1p-31 }

  mutating func floats(_ count: Int, scale: Float = 1) -> [Float] { (0..<count).map { _ in float() * scale } }
}

/// Bytes on a cache line: all ones, as a workspace may find them, or all of one value.
final class AlignedBytes {
  let pointer: UnsafeMutableRawPointer
  let count: Int

  init(_ count: Int, filledWith byte: UInt8 = 0xff) {
    self.count = count
    pointer = .allocate(byteCount: count, alignment: 64)
    pointer.initializeMemory(as: UInt8.self, repeating: byte, count: count)
  }

  deinit { pointer.deallocate() }

  var bytes: UnsafeMutablePointer<UInt8> { pointer.assumingMemoryBound(to: UInt8.self) }
}

/// Largest |a − b|; infinite where only one is NaN or the sizes differ.
func difference<A: BinaryFloatingPoint, B: BinaryFloatingPoint>(_ a: [A], _ b: [B]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { worst, pair in
    let (x, y) = (Double(pair.0), Double(pair.1))
    if x.isNaN != y.isNaN { return .infinity }
    return x.isNaN || x == y ? worst : max(worst, abs(x - y))
  }
}

/// Do both hold the same bits?
func identical(_ a: [Float], _ b: [Float]) -> Bool { a.map(\.bitPattern) == b.map(\.bitPattern) }
