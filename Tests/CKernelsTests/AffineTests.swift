import CKernels
import Foundation
import Testing

@Suite struct AffineTests {
  static let widths: [Int32] = [2, 3, 4, 5, 6, 8]
  static let groups: [Int32] = [32, 64, 128]

  struct Planes: Equatable {
    var codes: [UInt8]
    var scales: [UInt16]
    var biases: [UInt16]
  }

  private func encode(
    _ x: [Float], n: Int, width: Int, stride: Int? = nil, bits: Int32, group: Int32, half: Half, isa: kl_isa
  ) -> Planes {
    let count = n * width / Int(group)
    var planes = Planes(
      codes: .init(repeating: 0xee, count: n * width * Int(bits) / 8), scales: .init(repeating: 0, count: count),
      biases: .init(repeating: 0, count: count))
    kl_affine_encode(
      isa, bits, group, half.type, x, n, width, stride ?? width, &planes.codes, &planes.scales, &planes.biases)
    return planes
  }

  private func decode(
    _ planes: Planes, n: Int, width: Int, bits: Int32, group: Int32, half: Half, isa: kl_isa
  ) -> [Float] {
    var out = [Float](repeating: .nan, count: n * width)
    kl_affine_decode(
      isa, bits, group, half.type, planes.codes, planes.scales, planes.biases, n, width, &out, width)
    return out
  }

  /// Tests/Fixtures/affine/README.md says how the files were made; `make oracle` gives others.
  @Test(arguments: Body.all, Half.all) func encodesLikeMLX(body: Body, half: Half) throws {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures")
    let folder = ProcessInfo.processInfo.environment["KVLAB_ORACLE"].map { URL(filePath: $0) } ?? fixtures
    let data = try Data(contentsOf: folder.appending(path: "affine/\(half.testDescription).bin"))
    var offset = 0
    func bytes(_ count: Int) -> [UInt8] {
      defer { offset += count }
      return Array(data[offset..<offset + count])
    }
    func words(_ count: Int) -> [UInt16] {
      let raw = bytes(2 * count)
      return (0..<count).map { UInt16(raw[2 * $0]) | UInt16(raw[2 * $0 + 1]) << 8 }
    }
    let width = 128
    // A row, then its codes, scales and biases.
    let planes = Self.widths.flatMap { bits in Self.groups.map { width * Int(bits) / 8 + 4 * width / Int($0) } }
    let n = data.count / (2 * width + planes.reduce(0, +))
    var x = [Float](repeating: 0, count: n * width)
    kl_half_to_f32(KL_SCALAR, half.type, words(n * width), n * width, &x)
    for bits in Self.widths {
      for group in Self.groups {
        let count = n * width / Int(group)
        let golden = Planes(codes: bytes(n * width * Int(bits) / 8), scales: words(count), biases: words(count))
        let ours = encode(x, n: n, width: width, bits: bits, group: group, half: half, isa: body.isa)
        #expect(ours == golden, "\(bits) bits, groups of \(group)")
      }
    }
    #expect(n >= 8 && offset == data.count)
  }

  @Test(arguments: Body.all, widths) func roundTrip(body: Body, bits: Int32) {
    var noise = Noise(14)
    let (n, width, stride) = (7, 256, 260)
    let half = Half.all[0]
    var x = noise.floats(n * stride)
    for i in 0..<stride { x[2 * stride + i] += 5 }
    for group in Self.groups {
      let planes = encode(x, n: n, width: width, stride: stride, bits: bits, group: group, half: half, isa: body.isa)
      let back = decode(planes, n: n, width: width, bits: bits, group: group, half: half, isa: body.isa)
      var scales = [Float](repeating: 0, count: planes.scales.count)
      kl_half_to_f32(KL_SCALAR, half.type, planes.scales, scales.count, &scales)
      for i in 0..<n {
        for d in 0..<width {
          let value = x[i * stride + d], g = (i * width + d) / Int(group)
          // |x − x̂| ≤ |scale|, and what rounding scale and bias to f16 adds.
          let rounding = 0x1p-11 * (abs(scales[g]) * Float(1 << bits) + abs(value) + 1)
          #expect(abs(value - back[i * width + d]) <= abs(scales[g]) + rounding)
        }
      }
    }
  }

  @Test(arguments: Body.simd) func everyBodyGivesTheSameBits(body: Body) {
    var noise = Noise(15)
    let n = 12, width = 256
    var x = noise.floats(n * width)
    for i in 0..<width {
      x[i] = 0
      x[width + i] *= 1e-8
      x[2 * width + i] = 0x1p-133 * Float(i)
      x[3 * width + i] *= 1e38
      x[4 * width + i] = -3
      x[5 * width + i] = i == 200 ? .nan : x[5 * width + i]
      x[6 * width + i] = i == 3 ? -.infinity : x[6 * width + i]
      x[7 * width + i] = Float(i % 16)
    }
    for half in Half.all {
      for bits in Self.widths {
        for group in Self.groups {
          let a = encode(x, n: n, width: width, bits: bits, group: group, half: half, isa: body.isa)
          let b = encode(x, n: n, width: width, bits: bits, group: group, half: half, isa: KL_SCALAR)
          #expect(a == b, "\(bits) bits, groups of \(group)")
          let y = decode(a, n: n, width: width, bits: bits, group: group, half: half, isa: body.isa)
          let z = decode(b, n: n, width: width, bits: bits, group: group, half: half, isa: KL_SCALAR)
          #expect(difference(y, z) == 0)
        }
      }
    }
  }

  @Test(arguments: Body.all) func aWildGroupIsNaNAndItsNeighboursAreNot(body: Body) {
    var x = [Float](repeating: 1, count: 128)
    x[70] = .infinity
    let planes = encode(x, n: 1, width: 128, bits: 4, group: 64, half: Half.all[1], isa: body.isa)
    let back = decode(planes, n: 1, width: 128, bits: 4, group: 64, half: Half.all[1], isa: body.isa)
    #expect(back[0..<64].allSatisfy { $0 == 1 })
    #expect(back[64..<128].allSatisfy { $0.isNaN })
  }
}
