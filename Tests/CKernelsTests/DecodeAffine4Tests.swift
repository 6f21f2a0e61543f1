import CKernels
import Foundation
import Testing

/// Decode attention on packed 4-bit rows.
@Suite struct DecodeAffine4Tests {
  /// Rows of a cache, packed, and as the numbers they stand for.
  private struct Packed {
    let n: Int
    let width: Int
    let half: Half
    var codes: [UInt8]
    var scales: [UInt16]
    var biases: [UInt16]
    var numbers: [Float]
    var steps: [Float]

    init(_ x: [Float], n: Int, width: Int, half: Half) {
      (self.n, self.width, self.half) = (n, width, half)
      codes = .init(repeating: 0, count: n * width / 2)
      scales = .init(repeating: 0, count: n * width / 64)
      biases = scales
      numbers = .init(repeating: 0, count: n * width)
      steps = .init(repeating: 0, count: scales.count)
      kl_affine_encode(KL_SCALAR, 4, 64, half.type, x, n, width, width, &codes, &scales, &biases)
      kl_affine_decode(KL_SCALAR, 4, 64, half.type, codes, scales, biases, n, width, &numbers, width)
      kl_half_to_f32(KL_SCALAR, half.type, scales, steps.count, &steps)
    }

    func scores(_ isa: kl_isa, _ q: Activations, heads: Int, stride: Int) -> [Float] {
      var out = [Float](repeating: -7, count: heads * stride)
      kl_scores_affine4(
        isa, half.type, q.codes, q.scales, q.sums, heads, codes, scales, biases, n, width, &out, stride)
      return out
    }

    func accumulate(_ isa: kl_isa, p: [Float], strideP: Int, heads: Int, onto out: inout [Float], strideO: Int) {
      kl_accumulate_affine4(
        isa, half.type, p, strideP, heads, codes, scales, biases, n, width, &out, strideO)
    }
  }

  static let tokenCounts = [1, 2, 15, 16, 31, 32, 33, 127, 128, 129, 300]

  @Test(arguments: Body.all, Half.all) func scoresAreExactButForTheFloatSums(body: Body, half: Half) {
    var noise = Noise(18)
    for width in [64, 128, 192, 256, 576, 1088] {
      for heads in [1, 2, 3, 4, 5, 16, 17, 64] {
        let n = Self.tokenCounts[(width / 64 + heads) % Self.tokenCounts.count]
        let rows = Packed(noise.floats(n * width, scale: 2), n: n, width: width, half: half)
        let q = Activations(noise.floats(heads * width), tokens: heads, cols: width)
        let scores = rows.scores(body.isa, q, heads: heads, stride: n + 3)
        let query = (0..<heads * width).map { Double(q.scales[$0 / 64]) * Double(q.codes[$0]) }
        for h in 0..<heads {
          for i in 0..<n {
            var exact = 0.0
            var size = 0.0
            for d in 0..<width {
              let product = query[h * width + d] * Double(rows.numbers[i * width + d])
              exact += product
              size += abs(query[h * width + d]) * (15 * Double(abs(rows.steps[(i * width + d) / 64])) + 4)
            }
            // `numbers` and `sums` are themselves rounded.
            #expect(abs(Double(scores[h * (n + 3) + i]) - exact) <= Double(width / 16) * 0x1p-24 * size)
          }
          #expect(scores[h * (n + 3) + n..<(h + 1) * (n + 3)].allSatisfy { $0 == -7 })
        }
      }
    }
  }

  /// Weights are 16-bit on AVX-512: each off by half a step of 1/32767 of its block's largest |p| times |scale|.
  @Test(arguments: Body.all, Half.all) func valuesAreWithinHalfAStepOfEachWeight(body: Body, half: Half) {
    var noise = Noise(19)
    for width in [64, 128, 192, 256, 576] {
      for heads in [1, 2, 3, 4, 5, 8, 17] {
        let n = Self.tokenCounts[(width / 64 + heads) % Self.tokenCounts.count]
        let rows = Packed(noise.floats(n * width, scale: 2), n: n, width: width, half: half)
        let p = (0..<heads * (n + 1)).map { _ in exp(8 * noise.float() - 8) }
        let start = noise.floats(heads * (width + 5))
        var out = start
        rows.accumulate(body.isa, p: p, strideP: n + 1, heads: heads, onto: &out, strideO: width + 5)
        for h in 0..<heads {
          let largest = Double(p[h * (n + 1)..<h * (n + 1) + n].max()!)
          let step = largest * Double(rows.steps.map(abs).max()!) / 32767
          for d in 0..<width {
            var exact = Double(start[h * (width + 5) + d])
            var size = abs(exact)
            for i in 0..<n {
              exact += Double(p[h * (n + 1) + i]) * Double(rows.numbers[i * width + d])
              size += Double(p[h * (n + 1) + i]) * (15 * Double(abs(rows.steps[(i * width + d) / 64])) + 4)
            }
            let weights = body.isa == KL_AVX512 || body.isa == KL_AMX ? 15 * Double(n) * step / 2 : 0
            let sums = Double(n + 4) * 0x1p-24 * size
            #expect(abs(Double(out[h * (width + 5) + d]) - exact) <= weights + sums)
          }
          let after = h * (width + 5) + width..<(h + 1) * (width + 5)
          #expect(out[after].elementsEqual(start[after]))
        }
      }
    }
  }

  /// The weights of many tokens round both ways, so the usual error is far below the bound.
  @Test(arguments: Body.simd) func theUsualErrorOfValuesIsSmall(body: Body) {
    var noise = Noise(20)
    let (n, width, heads) = (512, 128, 4)
    let rows = Packed(noise.floats(n * width), n: n, width: width, half: Half.all[1])
    var p = (0..<heads * n).map { _ in exp(6 * noise.float()) }
    for h in 0..<heads {
      let total = p[h * n..<(h + 1) * n].reduce(0, +)
      for i in 0..<n { p[h * n + i] /= total }
    }
    var out = [Float](repeating: 0, count: heads * width)
    var reference = out
    rows.accumulate(body.isa, p: p, strideP: n, heads: heads, onto: &out, strideO: width)
    rows.accumulate(KL_SCALAR, p: p, strideP: n, heads: heads, onto: &reference, strideO: width)
    #expect(difference(out, reference) <= 2e-5)
  }

  @Test(arguments: Body.all) func nonFiniteInputsStayVisible(body: Body) {
    var noise = Noise(21)
    let (n, width) = (40, 128)
    var x = noise.floats(n * width)
    x[5 * width + 3] = .nan
    let rows = Packed(x, n: n, width: width, half: Half.all[1])
    let q = Activations(noise.floats(width), tokens: 1, cols: width)
    let scores = rows.scores(body.isa, q, heads: 1, stride: n)
    for i in 0..<n { #expect(scores[i].isNaN == (i == 5)) }
    var out = [Float](repeating: 0, count: width)
    rows.accumulate(body.isa, p: .init(repeating: 0.1, count: n), strideP: n, heads: 1, onto: &out, strideO: width)
    #expect(out[0..<64].allSatisfy { $0.isNaN })
    #expect(out[64..<128].allSatisfy { $0.isFinite })
    let good = Packed(noise.floats(n * width), n: n, width: width, half: Half.all[1])
    var p = [Float](repeating: 0.1, count: n)
    p[7] = .nan
    good.accumulate(body.isa, p: p, strideP: n, heads: 1, onto: &out, strideO: width)
    #expect(out.allSatisfy { $0.isNaN })
  }

  @Test(arguments: Body.all) func noWeightAddsNothing(body: Body) {
    var noise = Noise(22)
    let rows = Packed(noise.floats(20 * 128), n: 20, width: 128, half: Half.all[0])
    let start = noise.floats(128)
    var out = start
    rows.accumulate(body.isa, p: .init(repeating: 0, count: 20), strideP: 20, heads: 1, onto: &out, strideO: 128)
    #expect(out == start)
  }
}
