import CKernels
import Testing

@Suite struct QuantizeTests {
  @Test(arguments: Body.all) func codesAreWithinHalfAStep(body: Body) {
    var noise = Noise(3)
    let (tokens, cols, stride) = (5, 192, 200)
    let x = noise.floats(tokens * stride, scale: 3)
    let a = Activations(x, tokens: tokens, cols: cols, stride: stride, isa: body.isa)
    for t in 0..<tokens {
      for g in 0..<cols / 64 {
        let group = Array(x[t * stride + g * 64..<t * stride + g * 64 + 64])
        let scale = a.scales[t * cols / 64 + g]
        #expect(scale == group.map(abs).max()! / 127)
        let codes = a.codes[t * cols + g * 64..<t * cols + g * 64 + 64]
        #expect(a.sums[t * cols / 64 + g] == scale * Float(codes.reduce(0) { $0 + Int($1) }))
        for (value, code) in zip(group, codes) { #expect(abs(value - scale * Float(code)) <= scale * 0.50001) }
      }
    }
  }

  /// The scale is that of the values outside of three words, or what 15 bits need for the largest.
  @Test(arguments: Body.all) func inputsAreWithinHalfAStep(body: Body) {
    var noise = Noise(3)
    let (tokens, cols, stride) = (40, 192, 200)
    var x = noise.floats(tokens * stride, scale: 3)
    // None, some or many of the words hold outliers, some of them huge.
    for t in 0..<tokens { for i in 0..<t % 7 { x[t * stride + (i * 29 + t) % cols] *= t % 3 == 0 ? 1e5 : 40 } }
    let a = Inputs(x, tokens: tokens, cols: cols, stride: stride, isa: body.isa)
    var spilled = 0
    for t in 0..<tokens {
      for g in 0..<cols / 64 {
        let group = Array(x[t * stride + g * 64..<t * stride + g * 64 + 64])
        let scale = a.scales[t * cols / 64 + g]
        let highs = (0..<16).map { word in group[4 * word..<4 * word + 4].map(abs).max()! }.sorted()
        #expect(scale == (highs[12] * 128 >= highs[15] ? highs[12] / 127 : highs[15] / 16256))
        let wholes = a.wholes(group: t * cols / 64 + g)
        #expect(a.sums[t * cols / 64 + g] == scale * Float(wholes.reduce(0, +)))
        for (value, whole) in zip(group, wholes) { #expect(abs(value - scale * Float(whole)) <= scale * 0.501) }
        spilled += wholes.filter { abs($0) > 127 }.count
      }
    }
    #expect(spilled > tokens)
  }

  @Test(arguments: Body.simd) func everyBodyGivesTheSameBits(body: Body) {
    var noise = Noise(4)
    let cols = 64
    var groups: [[Float]] = (0..<400).map { i in noise.floats(64, scale: power(Float(i) / 2 - 100)) }
    groups += [
      .init(repeating: 0, count: 64), .init(repeating: -0.0, count: 64), .init(repeating: 7, count: 64),
      (0..<64).map { Float($0) - 31.5 }, .init(repeating: 0x1p-139, count: 64), .init(repeating: 3e38, count: 64),
      [.infinity] + [Float](repeating: 1, count: 63), [Float](repeating: 1, count: 63) + [.nan],
      (0..<64).map { $0 == 9 ? 127 : Float($0 % 2) + 0.5 }, (0..<64).map { $0 % 9 == 0 ? -1e6 : Float($0) },
    ]
    let x = groups.flatMap { $0 }
    let a = Activations(x, tokens: groups.count, cols: cols, isa: body.isa)
    let b = Activations(x, tokens: groups.count, cols: cols)
    #expect(a.codes == b.codes)
    #expect(difference(a.scales, b.scales) == 0)
    #expect(difference(a.sums, b.sums) == 0)
    let c = Inputs(x, tokens: groups.count, cols: cols, isa: body.isa)
    let d = Inputs(x, tokens: groups.count, cols: cols)
    #expect(c.records == d.records)
    #expect(difference(c.scales, d.scales) == 0)
    #expect(difference(c.sums, d.sums) == 0)
  }

  @Test(arguments: Body.all) func smallGroupsAreZeroAndWildOnesAreNaN(body: Body) {
    let rows: [[Float]] = [
      .init(repeating: 0, count: 64), .init(repeating: 0x1p-133, count: 64),
      [-.infinity] + [Float](repeating: 1, count: 63), [.nan] + [Float](repeating: 1, count: 63),
    ]
    let a = Activations(rows.flatMap { $0 }, tokens: 4, cols: 64, isa: body.isa)
    #expect(a.codes.allSatisfy { $0 == 0 })
    #expect(a.scales[0] == 0 && a.scales[1] == 0 && a.sums[0] == 0 && a.sums[1] == 0)
    #expect(a.scales[2].isNaN && a.scales[3].isNaN && a.sums[2].isNaN && a.sums[3].isNaN)
    let b = Inputs(rows.flatMap { $0 }, tokens: 4, cols: 64, isa: body.isa)
    #expect(b.records.allSatisfy { $0 == 0 })
    #expect(b.scales[0] == 0 && b.scales[1] == 0 && b.sums[0] == 0 && b.sums[1] == 0)
    #expect(b.scales[2].isNaN && b.scales[3].isNaN && b.sums[2].isNaN && b.sums[3].isNaN)
  }
}

private func power(_ x: Float) -> Float { Float(sign: .plus, exponent: Int(x.rounded(.down)), significand: 1.3) }
