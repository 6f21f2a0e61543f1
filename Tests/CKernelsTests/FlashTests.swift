import CKernels
import Foundation
import Testing

@Suite struct FlashTests {
  static let shapes = [(32, 32), (64, 64), (128, 128), (192, 128), (256, 256), (576, 512), (33, 17)]

  enum Compute: CaseIterable {
    case reference, fast
    var raw: kl_compute { self == .reference ? KL_REFERENCE : KL_FAST }
  }

  /// Queries, keys and values of one KV head, and what each row sees.
  private struct Problem {
    var rows: Int
    var context: Int
    var keyWidth: Int
    var valueWidth: Int
    var q: [Float]
    var k: [Float]
    var v: [Float]
    var lo: [Int32]
    var hi: [Int32]
    var softcap: Float = 0
    var position0: Int32 = 0

    init(rows: Int, context: Int, keyWidth: Int, valueWidth: Int, seed: UInt64, sharpness: Float = 3) {
      var noise = Noise(seed)
      (self.rows, self.context, self.keyWidth, self.valueWidth) = (rows, context, keyWidth, valueWidth)
      q = noise.floats(rows * keyWidth, scale: sharpness / Float(keyWidth).squareRoot())
      k = noise.floats(context * keyWidth)
      v = noise.floats(context * valueWidth, scale: 2)
      // Causal rows, every third with a window, one that sees nothing.
      hi = (0..<rows).map { Int32(context - rows + $0 + 1) }
      lo = (0..<rows).map { $0 % 3 == 2 ? Int32(max(0, context - rows + $0 + 1 - 70)) : 0 }
      if rows > 5 { lo[5] = hi[5] }
    }

    func run(_ isa: kl_isa, _ compute: Compute, tile: Int, rows range: Range<Int>? = nil) -> [Float] {
      let range = range ?? 0..<rows
      let count = range.count
      let workspace = AlignedBytes(kl_flash_workspace(compute.raw, count, tile, keyWidth, valueWidth))
      let lo = lo[range].map { $0 + position0 }, hi = hi[range].map { $0 + position0 }
      var out = [Float](repeating: .nan, count: count * valueWidth)
      Array(q[range.lowerBound * keyWidth..<range.upperBound * keyWidth]).withUnsafeBufferPointer {
        kl_flash_begin(
          isa, compute.raw, workspace.pointer, $0.baseAddress!, keyWidth, count, tile, keyWidth, valueWidth)
      }
      for start in stride(from: 0, to: context, by: tile) {
        let n = min(tile, context - start)
        kl_flash_tile(
          isa, compute.raw, workspace.pointer, Array(k[start * keyWidth..<(start + n) * keyWidth]),
          Array(v[start * valueWidth..<(start + n) * valueWidth]), n, position0 + Int32(start), lo, hi, softcap)
      }
      kl_flash_end(isa, compute.raw, workspace.pointer, &out, valueWidth)
      return out
    }

    /// In double precision, with the bound that the header states for each row.
    func exact(_ isa: kl_isa, _ compute: Compute, tile: Int) -> (out: [Double], bounds: [Double]) {
      var out = [Double](repeating: 0, count: rows * valueWidth)
      var bounds = [Double](repeating: 0, count: rows)
      let largestValue = Double(v.map(abs).max()!)
      func limit(_ terms: Int) -> Double { floor(sqrt(2_147_483_000 / Double(terms))) }
      let steps = limit(keyWidth + keyWidth % 2), weightSteps = limit(tile + tile % 2)
      let inTiles = isa == KL_AMX && compute == .fast
      for i in 0..<rows where lo[i] < hi[i] {
        let query = q[i * keyWidth..<(i + 1) * keyWidth].map { Double($0) }
        var delta = 0.0
        var scores: [Double] = []
        for j in Int(lo[i])..<Int(hi[i]) {
          let key = k[j * keyWidth..<(j + 1) * keyWidth].map { Double($0) }
          var score = 0.0
          var (size, sizeQ, sizeK) = (0.0, 0.0, 0.0)
          for (a, b) in zip(query, key) {
            score += a * b
            size += abs(a * b)
            sizeQ += abs(a)
            sizeK += abs(b)
          }
          let codes = (sizeQ * key.map(abs).max()! + sizeK * query.map(abs).max()!) / (2 * steps) * 1.001
          let rounding = compute == .fast ? codes + 1e-5 : Double(keyWidth) * 0x1p-24 * size + 1e-6
          delta = max(delta, inTiles ? 1.01 * 0x1p-8 * size : rounding)
          scores.append(softcap > 0 ? Double(softcap) * tanh(score / Double(softcap)) : score)
        }
        let maximum = scores.max()!
        let weights = scores.map { exp($0 - maximum) }
        let sum = weights.reduce(0, +)
        for (j, w) in weights.enumerated() {
          for d in 0..<valueWidth {
            out[i * valueWidth + d] += w / sum * Double(v[(Int(lo[i]) + j) * valueWidth + d])
          }
        }
        let rounding = compute == .fast ? Double(tile + 1) / weightSteps + 1e-5 : Double(scores.count) * 0x1p-23
        bounds[i] = largestValue * (exp(2 * delta) - 1 + (inTiles ? 0x1p-7 : rounding) + 1e-6)
      }
      return (out, bounds)
    }
  }

  @Test(arguments: Body.all, Compute.allCases) func withinTheStatedBound(body: Body, compute: Compute) {
    for (w, (keyWidth, valueWidth)) in Self.shapes.enumerated() {
      for softcap: Float in [0, 4] {
        var problem = Problem(rows: 45, context: 230, keyWidth: keyWidth, valueWidth: valueWidth, seed: UInt64(w))
        problem.softcap = softcap
        let tile = [64, 128, 77][w % 3]
        let out = problem.run(body.isa, compute, tile: tile)
        let (exact, bounds) = problem.exact(body.isa, compute, tile: tile)
        var squares = 0.0
        for i in 0..<out.count {
          let error = abs(Double(out[i]) - exact[i])
          #expect(error <= bounds[i / valueWidth], "row \(i / valueWidth) of \(keyWidth)/\(valueWidth)")
          squares += error * error
        }
        // The bounds add all roundings up with one sign; the usual error is far smaller.
        let usual = (squares / Double(out.count)).squareRoot()
        let expected = compute == .reference ? 1e-6 : body.isa == KL_AMX ? 2e-3 : 4e-4
        #expect(usual <= expected, "\(usual) at \(keyWidth)/\(valueWidth)")
      }
    }
  }

  @Test(arguments: Body.all, Compute.allCases) func aRowDependsOnNoOtherRow(body: Body, compute: Compute) {
    let problem = Problem(rows: 70, context: 300, keyWidth: 128, valueWidth: 128, seed: 31)
    let whole = problem.run(body.isa, compute, tile: 64)
    for range in [0..<1, 3..<40, 41..<70] {
      let part = problem.run(body.isa, compute, tile: 64, rows: range)
      #expect(identical(part, Array(whole[range.lowerBound * 128..<range.upperBound * 128])))
    }
  }

  @Test(arguments: Body.all, Compute.allCases) func rowsThatSeeNothingAreZero(body: Body, compute: Compute) {
    let problem = Problem(rows: 20, context: 100, keyWidth: 64, valueWidth: 64, seed: 32)
    let out = problem.run(body.isa, compute, tile: 64)
    #expect(out[5 * 64..<6 * 64].allSatisfy { $0 == 0 })
    #expect(out[6 * 64..<7 * 64].contains { $0 != 0 })
  }

  @Test(arguments: Body.all, Compute.allCases) func positionsAreAbsolute(body: Body, compute: Compute) {
    var problem = Problem(rows: 20, context: 100, keyWidth: 64, valueWidth: 64, seed: 33)
    let near = problem.run(body.isa, compute, tile: 64)
    problem.position0 = 2_000_000_000
    #expect(identical(near, problem.run(body.isa, compute, tile: 64)))
  }

  /// An attention sink: one key takes half the weight, and the many far below it must not vanish.
  @Test(arguments: Body.all, Compute.allCases) func whatIsFarBelowTheMaximumStillCounts(body: Body, compute: Compute) {
    let (context, width) = (4096, 64)
    var problem = Problem(rows: 1, context: context, keyWidth: width, valueWidth: width, seed: 34)
    problem.lo = [0]
    problem.hi = [Int32(context)]
    problem.q = [Float](repeating: 1, count: width)
    problem.k = .init(repeating: 0, count: context * width)
    problem.k[0] = Float(log(4096.0))
    problem.v = .init(repeating: 1, count: context * width)
    for d in 0..<width { problem.v[d] = 0 }
    let out = problem.run(body.isa, compute, tile: 64)
    // The sink has weight 4096 of 8191; in bfloat16, log 4096 is off by up to 1/64.
    #expect(out.allSatisfy { abs($0 - 4095.0 / 8191) < (body.isa == KL_AMX && compute == .fast ? 6e-3 : 2e-3) })
  }

  @Test(arguments: Body.all, Compute.allCases) func constantsComeBack(body: Body, compute: Compute) {
    var problem = Problem(rows: 40, context: 200, keyWidth: 64, valueWidth: 64, seed: 35, sharpness: 40)
    problem.v = .init(repeating: 0.75, count: problem.v.count)
    let out = problem.run(body.isa, compute, tile: 128)
    for i in 0..<40 where i != 5 {
      #expect(out[i * 64..<(i + 1) * 64].allSatisfy { abs($0 - 0.75) < 1e-6 })
    }
  }

  @Test(arguments: Body.all, Compute.allCases) func zerosHugeAndTinyRows(body: Body, compute: Compute) {
    var problem = Problem(rows: 40, context: 150, keyWidth: 64, valueWidth: 64, seed: 36)
    problem.q.replaceSubrange(0..<64, with: [Float](repeating: 0, count: 64))
    for d in 64..<128 { problem.q[d] *= 1e4 }
    for d in 128..<192 { problem.q[d] *= 1e-36 }
    for d in 0..<64 { problem.k[d] = 0 }
    for d in 64..<128 { problem.v[d] *= 1e30 }
    let out = problem.run(body.isa, compute, tile: 64)
    #expect(out.allSatisfy { $0.isFinite })
    // A zero query weighs all keys alike.
    let mean = (0..<64).map { d in (0..<111).reduce(0.0) { $0 + Double(problem.v[$1 * 64 + d]) } / 111 }
    for d in 0..<64 { #expect(abs(Double(out[d]) - mean[d]) <= 4e-3 * abs(mean[d])) }
  }

  @Test(arguments: Body.all, Compute.allCases) func nonFiniteInputsStayVisible(body: Body, compute: Compute) {
    let good = Problem(rows: 40, context: 150, keyWidth: 64, valueWidth: 64, seed: 37)
    var badQuery = good
    badQuery.q[3 * 64 + 9] = .nan
    let queryOut = badQuery.run(body.isa, compute, tile: 64)
    for i in 0..<40 { #expect(queryOut[i * 64..<(i + 1) * 64].allSatisfy { $0.isNaN == (i == 3) }) }
    var badKey = good
    badKey.k[20 * 64] = .nan
    let keyOut = badKey.run(body.isa, compute, tile: 64)
    for i in 0..<40 where good.lo[i] <= 20 && good.hi[i] > 20 { #expect(keyOut[i * 64].isNaN) }
    var badValue = good
    badValue.v[20 * 64 + 7] = .nan
    let valueOut = badValue.run(body.isa, compute, tile: 64)
    for i in 0..<40 where good.lo[i] <= 20 && good.hi[i] > 20 {
      #expect(valueOut[i * 64 + 7].isNaN && valueOut[i * 64 + 8].isFinite)
    }
  }
}
