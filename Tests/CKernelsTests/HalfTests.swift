import CKernels
import Testing

@Suite struct HalfTests {
  static let special: [Float] = [
    0, -0.0, 1, -1, 65504, 65519.996, 65520, 1e9, -1e30, .infinity, -.infinity, .nan, -Float.nan, 0x1p-14, 0x1p-24,
    0x1p-25, 0x1.8p-25, 0x1.fffffep-26, 0x1p-126, 0x1p-149, 1.0009765, 1.0014648, Float(bitPattern: 0x3f80_8000),
    Float(bitPattern: 0x3f81_8000), Float(bitPattern: 0x7f7f_ffff), Float(bitPattern: 0x7f80_0001),
  ]

  @Test(arguments: Body.all) func f16RoundsLikeSwift(body: Body) {
    var noise = Noise(1)
    let x = Self.special + (0..<100_003).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: noise.bits())) }
    var out = [UInt16](repeating: 0, count: x.count)
    kl_f32_to_half(body.isa, KL_F16, x, x.count, &out)
    #if arch(arm64) || os(Linux)
      for (value, half) in zip(x, out) where !value.isNaN {
        #expect(half == Float16(value).bitPattern, "\(value)")
      }
    #endif
    for (value, half) in zip(x, out) where value.isNaN { #expect(half & 0x7fff > 0x7c00) }
  }

  @Test(arguments: Body.all) func bf16RoundsToNearestEven(body: Body) {
    var noise = Noise(2)
    let x = Self.special + (0..<100_003).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: noise.bits())) }
    var out = [UInt16](repeating: 0, count: x.count)
    kl_f32_to_half(body.isa, KL_BF16, x, x.count, &out)
    for (value, half) in zip(x, out) {
      let back = Float(bitPattern: UInt32(half) << 16)
      if value.isNaN {
        #expect(back.isNaN)
        continue
      }
      // Halfway cases go to the even one, so the result's error is at most that of both neighbours.
      let lower = value.bitPattern & 0xffff_0000, rest = value.bitPattern & 0xffff
      let up = rest > 0x8000 || (rest == 0x8000 && lower >> 16 & 1 == 1)
      #expect(UInt32(half) << 16 == lower &+ (up ? 0x1_0000 : 0), "\(value)")
    }
  }

  @Test(arguments: Body.all, Half.all) func everyHalfComesBack(body: Body, half: Half) {
    let x = (0...UInt16.max).map { $0 }
    var floats = [Float](repeating: 0, count: x.count)
    var scalar = floats
    kl_half_to_f32(body.isa, half.type, x, x.count, &floats)
    kl_half_to_f32(KL_SCALAR, half.type, x, x.count, &scalar)
    #expect(identical(floats, scalar))
    var again = [UInt16](repeating: 0, count: x.count)
    kl_f32_to_half(body.isa, half.type, floats, x.count, &again)
    for (before, after) in zip(x, again) {
      let quiet: UInt16 = half.type == KL_F16 ? 0x200 : 0x40
      let isNaN = floats[Int(before)].isNaN
      #expect(after == (isNaN ? before | quiet : before))
    }
  }
}
