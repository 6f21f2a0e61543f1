import CKernels

/// Random 4-bit weights in rows and in panels.
struct Panels {
  let rows: Int
  let cols: Int
  let half: Half
  let codes: [UInt8]
  let scales: [UInt16]
  let biases: [UInt16]
  let packed: AlignedBytes

  var groups: Int { cols / 64 }
  var count: Int { (rows + 15) / 16 }

  init(rows: Int, cols: Int, half: Half, seed: UInt64, scale: Float = 0.02) {
    var noise = Noise(seed)
    self.rows = rows
    self.cols = cols
    self.half = half
    codes = (0..<rows * cols / 2).map { _ in UInt8(truncatingIfNeeded: noise.bits()) }
    scales = half.rounded(noise.floats(rows * cols / 64, scale: scale))
    biases = half.rounded(noise.floats(rows * cols / 64, scale: 8 * scale))
    packed = AlignedBytes((rows + 15) / 16 * cols / 64 * Int(KL_Q4_RECORD), filledWith: 0)
    kl_q4_fill(codes, scales, biases, 0, rows, cols, packed.bytes)
  }

  /// The weights as numbers, row by row.
  var dense: [Float] {
    var scale = [Float](repeating: 0, count: scales.count)
    var bias = scale
    kl_half_to_f32(KL_SCALAR, half.type, scales, scales.count, &scale)
    kl_half_to_f32(KL_SCALAR, half.type, biases, biases.count, &bias)
    return (0..<rows * cols).map { i in
      let q = i % 2 == 0 ? codes[i / 2] & 15 : codes[i / 2] >> 4
      return scale[i / 64] * Float(q) + bias[i / 64]
    }
  }
}

/// Activations in the three arrays of `kl_quantize_activations`.
struct Activations {
  var codes: [Int8]
  var scales: [Float]
  var sums: [Float]

  init(_ x: [Float], tokens: Int, cols: Int, stride: Int? = nil, isa: kl_isa = KL_SCALAR) {
    codes = .init(repeating: 0, count: tokens * cols)
    scales = .init(repeating: 0, count: tokens * cols / 64)
    sums = scales
    kl_quantize_activations(isa, x, tokens, cols, stride ?? cols, &codes, &scales, &sums)
  }
}

/// Inputs of products in the three arrays of `kl_quantize_inputs`.
struct Inputs {
  var records: [UInt8]
  var scales: [Float]
  var sums: [Float]

  init(_ x: [Float], tokens: Int, cols: Int, stride: Int? = nil, isa: kl_isa = KL_SCALAR) {
    records = .init(repeating: 99, count: tokens * cols / 64 * Int(KL_INPUT_RECORD))
    scales = .init(repeating: 0, count: tokens * cols / 64)
    sums = scales
    kl_quantize_inputs(isa, x, tokens, cols, stride ?? cols, &records, &scales, &sums)
  }

  /// The 64 whole numbers of a group, codes and spills together.
  func wholes(group: Int) -> [Int] {
    let record = records[group * Int(KL_INPUT_RECORD)..<(group + 1) * Int(KL_INPUT_RECORD)].map { Int(Int8(bitPattern: $0)) }
    var wholes = Array(record[0..<64])
    for spill in 0..<Int(KL_SPILLS) {
      for column in 0..<4 { wholes[4 * record[76 + spill] + column] += 128 * record[64 + 4 * spill + column] }
    }
    return wholes
  }
}
