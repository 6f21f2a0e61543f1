import CKernels
import Testing

@Suite struct Q4Tests {
  static let tokenCounts = Array(1...40) + [47, 70, 130]

  @Test(arguments: Half.all) func panelsKeepEveryWeight(half: Half) {
    let panels = Panels(rows: 37, cols: 192, half: half, seed: 5)
    let dense = panels.dense
    for row in 0..<panels.rows {
      var out = [Float](repeating: .nan, count: panels.cols)
      kl_q4_unpack_row(half.type, panels.packed.bytes, row, panels.cols, &out)
      #expect(out == Array(dense[row * panels.cols..<(row + 1) * panels.cols]))
    }
  }

  @Test func recordsLieAsTheHeaderSays() {
    // Row 3 of group 1: column c of the group has code c % 16.
    let (rows, cols) = (16, 128)
    var codes = [UInt8](repeating: 0, count: rows * cols / 2)
    for c in 0..<64 { codes[(3 * cols + 64 + c) / 2] |= UInt8(c % 16) << UInt8(c % 2 * 4) }
    let scales = (0..<32).map { UInt16($0) }, biases = (0..<32).map { UInt16($0 + 100) }
    let packed = AlignedBytes(2 * Int(KL_Q4_RECORD), filledWith: 0)
    kl_q4_fill(codes, scales, biases, 0, rows, cols, packed.bytes)
    let record = packed.bytes + Int(KL_Q4_RECORD)
    for chunk in 0..<8 {
      for j in 0..<4 {
        let byte = record[64 * chunk + 4 * 3 + j]
        #expect(Int(byte & 15) == (8 * chunk + j) % 16)
        #expect(Int(byte >> 4) == (8 * chunk + 4 + j) % 16)
      }
    }
    let halves = UnsafeRawPointer(record + 512).assumingMemoryBound(to: UInt16.self)
    for row in 0..<16 {
      #expect(halves[row] == scales[2 * row + 1])
      #expect(halves[16 + row] == biases[2 * row + 1])
    }
  }

  @Test(arguments: Body.all, Half.all) func int8ProductIsExactButForTheFloatSums(body: Body, half: Half) {
    let panels = Panels(rows: 37, cols: 320, half: half, seed: 6)
    var noise = Noise(7)
    for tokens in Self.tokenCounts {
      let x = Inputs(noise.floats(tokens * panels.cols), tokens: tokens, cols: panels.cols)
      let y = int8(panels, x, tokens: tokens, isa: body.isa)
      let (exact, bound) = exactInt8(panels, x, tokens: tokens)
      for (i, value) in y.enumerated() { #expect(abs(Double(value) - exact[i]) <= bound[i], "\(tokens) tokens, \(i)") }
    }
  }

  @Test(arguments: Body.all) func floatProductSumsInOrder(body: Body) {
    let half = Half.all[1]
    let panels = Panels(rows: 37, cols: 320, half: half, seed: 8)
    let dense = panels.dense
    var noise = Noise(9)
    for tokens in Self.tokenCounts {
      let stride = panels.cols + 3
      let x = noise.floats(tokens * stride)
      let y = float(panels, x, stride: stride, tokens: tokens, isa: body.isa)
      for t in 0..<tokens {
        for row in 0..<panels.rows {
          var exact = 0.0
          var size = 0.0
          for c in 0..<panels.cols {
            let product = Double(dense[row * panels.cols + c]) * Double(x[t * stride + c])
            exact += product
            size += abs(product)
          }
          let bound = Double(panels.cols) * 0x1p-24 * size
          #expect(abs(Double(y[t * panels.rows + row]) - exact) <= bound)
        }
      }
    }
  }

  @Test(arguments: Body.all) func rangesAndBatchesDoNotChangeABit(body: Body) {
    let panels = Panels(rows: 85, cols: 576, half: Half.all[0], seed: 10)
    var noise = Noise(11)
    for tokens in [1, 3, 8, 9, 24, 25, 31, 70, 300] {
      let floats = noise.floats(tokens * panels.cols)
      let x = Inputs(floats, tokens: tokens, cols: panels.cols)
      let whole = int8(panels, x, tokens: tokens, isa: body.isa)
      let wholeFloat = float(panels, floats, stride: panels.cols, tokens: tokens, isa: body.isa)
      for cuts in [[0, 1, 6], [0, 2, 3, 6], [0, 5, 6]] {
        #expect(identical(whole, int8(panels, x, tokens: tokens, isa: body.isa, cuts: cuts)))
        let y = float(panels, floats, stride: panels.cols, tokens: tokens, isa: body.isa, cuts: cuts)
        #expect(identical(wholeFloat, y))
      }
      // One token alone gives what it gave among the others.
      let t = tokens / 2
      let row = Array(floats[t * panels.cols..<(t + 1) * panels.cols])
      let alone = int8(panels, Inputs(row, tokens: 1, cols: panels.cols), tokens: 1, isa: body.isa)
      #expect(identical(alone, Array(whole[t * panels.rows..<(t + 1) * panels.rows])))
      let aloneFloat = float(panels, row, stride: panels.cols, tokens: 1, isa: body.isa)
      #expect(identical(aloneFloat, Array(wholeFloat[t * panels.rows..<(t + 1) * panels.rows])))
    }
  }

  @Test(arguments: Body.all) func largestCodesDoNotOverflow(body: Body) {
    // All codes 15 against all activations ±127: each group's sum is 15 · 127 · 64.
    let (rows, cols) = (16, 128)
    let one = Half.all[0].rounded([Float](repeating: 1, count: rows * 2))
    let none = [UInt16](repeating: 0, count: rows * 2)
    let packed = AlignedBytes(2 * Int(KL_Q4_RECORD), filledWith: 0)
    kl_q4_fill([UInt8](repeating: 0xff, count: rows * cols / 2), one, none, 0, rows, cols, packed.bytes)
    for sign: Float in [1, -1] {
      let x = Inputs(.init(repeating: sign * 127, count: 30 * cols), tokens: 30, cols: cols)
      var y = [Float](repeating: 0, count: 30 * rows)
      kl_q4_gemm_int8(body.isa, KL_F16, packed.bytes, rows, cols, 0, 1, x.records, x.scales, x.sums, 30, &y, rows)
      #expect(y.allSatisfy { $0 == sign * 15 * 127 * 128 })
      // Three words of each group at the most that a spill holds.
      let wild = Inputs((0..<30 * cols).map { sign * ($0 % 64 < 12 ? 16256 : 127) }, tokens: 30, cols: cols)
      kl_q4_gemm_int8(body.isa, KL_F16, packed.bytes, rows, cols, 0, 1, wild.records, wild.scales, wild.sums, 30, &y, rows)
      #expect(y.allSatisfy { $0 == sign * 15 * 2 * (12 * 16256 + 52 * 127) })
    }
  }

  @Test(arguments: Body.all) func aNaNActivationReachesItsTokenOnly(body: Body) {
    let panels = Panels(rows: 20, cols: 128, half: Half.all[1], seed: 12)
    var noise = Noise(13)
    var floats = noise.floats(3 * 128)
    floats[128 + 70] = .nan
    let x = Inputs(floats, tokens: 3, cols: 128)
    for y in [
      int8(panels, x, tokens: 3, isa: body.isa), float(panels, floats, stride: 128, tokens: 3, isa: body.isa),
    ] {
      #expect(y[0..<20].allSatisfy { $0.isFinite } && y[40..<60].allSatisfy { $0.isFinite })
      #expect(y[20..<40].allSatisfy { $0.isNaN })
    }
  }

  // MARK: Helpers

  private func int8(
    _ panels: Panels, _ x: Inputs, tokens: Int, isa: kl_isa, cuts: [Int]? = nil
  ) -> [Float] {
    var y = [Float](repeating: .nan, count: tokens * panels.rows)
    let cuts = cuts ?? [0, panels.count]
    for (from, to) in zip(cuts, cuts.dropFirst()) {
      kl_q4_gemm_int8(
        isa, panels.half.type, panels.packed.bytes, panels.rows, panels.cols, from, to, x.records, x.scales, x.sums,
        tokens, &y, panels.rows)
    }
    return y
  }

  private func float(
    _ panels: Panels, _ x: [Float], stride: Int, tokens: Int, isa: kl_isa, cuts: [Int]? = nil
  ) -> [Float] {
    var y = [Float](repeating: .nan, count: tokens * panels.rows)
    let cuts = cuts ?? [0, panels.count]
    for (from, to) in zip(cuts, cuts.dropFirst()) {
      kl_q4_gemm_f32(
        isa, panels.half.type, panels.packed.bytes, panels.rows, panels.cols, from, to, x, stride, tokens, &y,
        panels.rows)
    }
    return y
  }

  /// The product in double precision with exact integer sums, and what the float sums may be off by.
  private func exactInt8(_ panels: Panels, _ x: Inputs, tokens: Int) -> ([Double], [Double]) {
    var scale = [Float](repeating: 0, count: panels.scales.count)
    var bias = scale
    kl_half_to_f32(KL_SCALAR, panels.half.type, panels.scales, scale.count, &scale)
    kl_half_to_f32(KL_SCALAR, panels.half.type, panels.biases, bias.count, &bias)
    var exact = [Double](repeating: 0, count: tokens * panels.rows)
    var bound = exact
    for t in 0..<tokens {
      for row in 0..<panels.rows {
        var size = 0.0
        for g in 0..<panels.groups {
          var dot = 0
          let wholes = x.wholes(group: t * panels.groups + g)
          for c in 0..<64 {
            let i = row * panels.cols + g * 64 + c
            let q = i % 2 == 0 ? panels.codes[i / 2] & 15 : panels.codes[i / 2] >> 4
            dot += Int(q) * wholes[c]
          }
          let w = row * panels.groups + g, a = t * panels.groups + g
          let product = Double(scale[w]) * Double(x.scales[a]) * Double(dot)
          let offset = Double(bias[w]) * Double(x.sums[a])
          exact[t * panels.rows + row] += product + offset
          size += abs(product) + abs(offset)
        }
        bound[t * panels.rows + row] = Double(2 * panels.groups + 2) * 0x1p-24 * size
      }
    }
    return (exact, bound)
  }
}
