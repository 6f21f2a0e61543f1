import CKernels
import Testing

@Suite struct BFloat16Tests {
  static let bodies = [Body.scalar] + Body.simd.filter { $0.isa == KL_AMX }
  static let tokenCounts = [1, 2, 15, 16, 17, 31, 33, 48, 70, 257, 300]

  /// Rows packed for tiles.
  private struct Packed {
    let elements: [UInt16]

    init(_ x: [Float], tokens: Int, cols: Int, isa: kl_isa) {
      var packed = [UInt16](repeating: 0, count: kl_bf16_rows_size(tokens, cols))
      kl_bf16_rows_pack(isa, x, 0, tokens, cols, cols, &packed)
      elements = packed
    }
  }

  private func product(
    _ panels: Panels, _ x: Packed, token0: Int = 0, tokens: Int, isa: kl_isa, cuts: [Int] = []
  ) -> [Float] {
    var y = [Float](repeating: 77, count: (tokens + 1) * panels.rows)
    let cuts = [0] + cuts + [panels.count]
    for (first, last) in zip(cuts, cuts.dropFirst()) {
      kl_q4_gemm_bf16(
        isa, panels.half.type, panels.packed.bytes, panels.rows, panels.cols, first, last, x.elements, token0, tokens, &y,
        panels.rows)
    }
    #expect(y.suffix(panels.rows).allSatisfy { $0 == 77 })
    return Array(y.prefix(tokens * panels.rows))
  }

  /// Rounded to bfloat16, to nearest even.
  private func rounded(_ x: Float) -> Double { Double(Half.all[1].rounded([x])[0].asBFloat16) }

  @Test(arguments: bodies) func packedRowsLieAsTheHeaderSays(body: Body) {
    var noise = Noise(1)
    let (tokens, cols) = (19, 128)
    let x = noise.floats(tokens * cols)
    let packed = Packed(x, tokens: tokens, cols: cols, isa: body.isa).elements
    #expect(packed.count == 32 * cols)
    for t in 0..<tokens {
      for c in 0..<cols {
        let index = (t / 16 * (cols / 32) + c / 32) * 512 + t % 16 * 32 + c % 32
        #expect(Double(packed[index].asBFloat16) == rounded(x[t * cols + c]))
      }
    }
  }

  @Test(arguments: bodies, Half.all) func withinTheStatedBound(body: Body, half: Half) {
    let panels = Panels(rows: 85, cols: 576, half: half, seed: 2)
    let dense = panels.dense
    var noise = Noise(3)
    for tokens in [1, 17, 70] {
      let x = noise.floats(tokens * panels.cols)
      let packed = Packed(x, tokens: tokens, cols: panels.cols, isa: body.isa)
      let y = product(panels, packed, tokens: tokens, isa: body.isa)
      for t in 0..<tokens {
        for r in 0..<panels.rows {
          var exact = 0.0
          var size = 0.0
          for c in 0..<panels.cols {
            let w = Double(dense[r * panels.cols + c]), value = rounded(x[t * panels.cols + c])
            exact += w * value
            size += abs(w * value)
          }
          // Each weight is rounded to 8 bits, and its own sum of products is f32.
          let bound = size * (0x1p-9 * 1.01 + Double(panels.cols) * 0x1p-23)
          #expect(abs(Double(y[t * panels.rows + r]) - exact) <= bound)
        }
      }
    }
  }

  /// The same weights and activations in every body: only the order of the sums may differ.
  @Test(arguments: bodies, Half.all) func bodiesAgree(body: Body, half: Half) {
    let panels = Panels(rows: 85, cols: 1088, half: half, seed: 4)
    var noise = Noise(5)
    let tokens = 40
    let x = noise.floats(tokens * panels.cols)
    let packed = Packed(x, tokens: tokens, cols: panels.cols, isa: KL_SCALAR)
    let y = product(panels, packed, tokens: tokens, isa: body.isa)
    let scalar = product(panels, packed, tokens: tokens, isa: KL_SCALAR)
    let largest = scalar.map(abs).max()!
    #expect(difference(y, scalar) <= Double(largest) * 1e-5)
  }

  @Test(arguments: bodies) func rangesAndBatchesDoNotChangeABit(body: Body) {
    // More panels than a block keeps sums of.
    let panels = Panels(rows: 16 * 35 + 5, cols: 576, half: Half.all[0], seed: 6)
    var noise = Noise(7)
    let all = body.isa == KL_SCALAR ? [33] : Self.tokenCounts
    for tokens in all {
      let x = noise.floats(tokens * panels.cols)
      let packed = Packed(x, tokens: tokens, cols: panels.cols, isa: body.isa)
      let whole = product(panels, packed, tokens: tokens, isa: body.isa)
      #expect(identical(whole, product(panels, packed, tokens: tokens, isa: body.isa, cuts: [1, 4, 33])))
      for t in [0, tokens / 2, tokens - 1] {
        let alone = product(panels, packed, token0: t, tokens: 1, isa: body.isa)
        #expect(identical(alone, Array(whole[t * panels.rows..<(t + 1) * panels.rows])))
      }
    }
  }

  @Test(arguments: bodies) func aNaNActivationReachesItsTokenOnly(body: Body) {
    let panels = Panels(rows: 20, cols: 128, half: Half.all[1], seed: 8)
    var noise = Noise(9)
    var x = noise.floats(3 * 128)
    x[128 + 70] = .nan
    let y = product(panels, Packed(x, tokens: 3, cols: 128, isa: body.isa), tokens: 3, isa: body.isa)
    for t in 0..<3 { #expect(y[t * 20..<(t + 1) * 20].allSatisfy { $0.isNaN == (t == 1) }) }
  }
}

extension UInt16 {
  fileprivate var asBFloat16: Float { Float(bitPattern: UInt32(self) << 16) }
}
