import CKernels
import Foundation
import Testing

/// Decode attention on dense rows.
@Suite struct DecodeTests {
  static let widths = [32, 33, 64, 128, 192, 256, 576]
  static let headCounts = [1, 2, 3, 4, 5, 8, 17, 64]
  static let tokenCounts = [1, 3, 4, 7, 64, 130]

  enum Rows: CaseIterable { case f32, f16, bf16 }

  /// Rows as they are stored, and as numbers.
  private struct Stored {
    var f32: [Float]
    var half: [UInt16] = []
    var type = KL_F16

    init(_ rows: Rows, _ x: [Float]) {
      f32 = x
      guard rows != .f32 else { return }
      type = rows == .f16 ? KL_F16 : KL_BF16
      half = .init(repeating: 0, count: x.count)
      kl_f32_to_half(KL_SCALAR, type, x, x.count, &half)
      kl_half_to_f32(KL_SCALAR, type, half, x.count, &f32)
    }

    func scores(_ isa: kl_isa, q: [Float], strideQ: Int, heads: Int, n: Int, width: Int, strideS: Int) -> [Float] {
      var out = [Float](repeating: -7, count: heads * strideS)
      if half.isEmpty {
        kl_scores_f32(isa, q, strideQ, heads, f32, n, width, &out, strideS)
      } else {
        kl_scores_half(isa, type, q, strideQ, heads, half, n, width, &out, strideS)
      }
      return out
    }

    func accumulate(
      _ isa: kl_isa, p: [Float], strideP: Int, heads: Int, n: Int, width: Int, onto out: inout [Float], strideO: Int
    ) {
      if half.isEmpty {
        kl_accumulate_f32(isa, p, strideP, heads, f32, n, width, &out, strideO)
      } else {
        kl_accumulate_half(isa, type, p, strideP, heads, half, n, width, &out, strideO)
      }
    }
  }

  @Test(arguments: Body.all, Rows.allCases) func scoresAndValuesAreWithinTheSumsRounding(body: Body, rows: Rows) {
    var noise = Noise(16)
    for width in Self.widths {
      for heads in Self.headCounts {
        let n = Self.tokenCounts[(width + heads) % Self.tokenCounts.count]
        let (strideQ, strideS, strideO) = (width + 2, n + 3, width + 5)
        let k = Stored(rows, noise.floats(n * width))
        let q = noise.floats(heads * strideQ), p = noise.floats(heads * strideS)
        let start = noise.floats(heads * strideO)
        let scores = k.scores(body.isa, q: q, strideQ: strideQ, heads: heads, n: n, width: width, strideS: strideS)
        var out = start
        k.accumulate(
          body.isa, p: p, strideP: strideS, heads: heads, n: n, width: width, onto: &out, strideO: strideO)
        for h in 0..<heads {
          for i in 0..<n {
            var exact = 0.0
            var size = 0.0
            for d in 0..<width {
              let product = Double(q[h * strideQ + d]) * Double(k.f32[i * width + d])
              exact += product
              size += abs(product)
            }
            #expect(abs(Double(scores[h * strideS + i]) - exact) <= Double(width) * 0x1p-24 * size)
          }
          #expect(scores[h * strideS + n..<(h + 1) * strideS].allSatisfy { $0 == -7 })
          for d in 0..<width {
            var exact = Double(start[h * strideO + d])
            var size = abs(exact)
            for i in 0..<n {
              let product = Double(p[h * strideS + i]) * Double(k.f32[i * width + d])
              exact += product
              size += abs(product)
            }
            #expect(abs(Double(out[h * strideO + d]) - exact) <= Double(n + 1) * 0x1p-24 * size)
          }
          let after = h * strideO + width..<(h + 1) * strideO
          #expect(out[after].elementsEqual(start[after]))
        }
      }
    }
  }

  @Test(arguments: Body.all, Rows.allCases) func cuttingTheTokensDoesNotChangeABit(body: Body, rows: Rows) {
    var noise = Noise(17)
    let (n, width, heads) = (131, 128, 5)
    let x = noise.floats(n * width), q = noise.floats(heads * width), p = noise.floats(heads * n)
    let whole = Stored(rows, x)
    let scores = whole.scores(body.isa, q: q, strideQ: width, heads: heads, n: n, width: width, strideS: n)
    var out = [Float](repeating: 0, count: heads * width)
    whole.accumulate(body.isa, p: p, strideP: n, heads: heads, n: n, width: width, onto: &out, strideO: width)
    var pieces = [Float](repeating: 0, count: heads * width)
    for (from, to) in [(0, 1), (1, 65), (65, 131)] {
      let part = Stored(rows, Array(x[from * width..<to * width]))
      let count = to - from
      let some = part.scores(body.isa, q: q, strideQ: width, heads: heads, n: count, width: width, strideS: count)
      for h in 0..<heads {
        let expected = Array(scores[h * n + from..<h * n + to])
        #expect(identical(expected, Array(some[h * count..<(h + 1) * count])))
      }
      let weights = (0..<heads).flatMap { p[$0 * n + from..<$0 * n + to] }
      part.accumulate(
        body.isa, p: weights, strideP: count, heads: heads, n: count, width: width, onto: &pieces, strideO: width)
    }
    #expect(identical(out, pieces))
  }
}
