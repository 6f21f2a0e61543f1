import CKernels
import Foundation
import Testing

@Suite struct RowsTests {
  static let counts = [1, 2, 7, 15, 16, 17, 64, 100, 257, 3840]

  @Test(arguments: Body.all) func rmsNorm(body: Body) {
    var noise = Noise(24)
    for n in Self.counts {
      for scale: Float in [1, 1e-12, 1e12] {
        let x = noise.floats(n, scale: scale), weight = noise.floats(n)
        var out = x
        kl_rms_norm(body.isa, x, weight, 1, 1e-6, n, &out)
        var inPlace = x
        inPlace.withUnsafeMutableBufferPointer {
          kl_rms_norm(body.isa, $0.baseAddress!, weight, 1, 1e-6, n, $0.baseAddress!)
        }
        #expect(identical(out, inPlace))
        let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(n)
        for i in 0..<n {
          let exact = Double(x[i]) / sqrt(mean + 1e-6) * (Double(weight[i]) + 1)
          #expect(abs(Double(out[i]) - exact) <= 1e-6 * abs(exact) + 1e-30)
        }
      }
    }
  }

  @Test(arguments: Body.all, [true, false]) func rope(body: Body, halves: Bool) {
    var noise = Noise(25)
    for width in [2, 6, 16, 32, 64, 66, 128, 192, 256] {
      let x = noise.floats(width), angles = noise.floats(width / 2, scale: 3)
      var y = x
      kl_rope(body.isa, &y, width, angles.map { cos($0) }, angles.map { sin($0) }, halves)
      for i in 0..<width / 2 {
        let (a, b) = halves ? (i, i + width / 2) : (2 * i, 2 * i + 1)
        let (c, s) = (Double(cos(angles[i])), Double(sin(angles[i])))
        #expect(abs(Double(y[a]) - (Double(x[a]) * c - Double(x[b]) * s)) <= 2e-7)
        #expect(abs(Double(y[b]) - (Double(x[b]) * c + Double(x[a]) * s)) <= 2e-7)
      }
    }
  }

  @Test(arguments: Body.all) func gates(body: Body) {
    var noise = Noise(26)
    for n in Self.counts {
      let x = noise.floats(n, scale: 20), up = noise.floats(n)
      var silu = x
      var gelu = x
      kl_swiglu(body.isa, &silu, up, n)
      kl_geglu(body.isa, &gelu, up, n)
      for i in 0..<n {
        let v = Double(x[i]), u = 0.7978845608028654 * (v + 0.044715 * v * v * v)
        let exactSilu = v / (1 + exp(-v)) * Double(up[i]), exactGelu = 0.5 * v * (1 + tanh(u)) * Double(up[i])
        #expect(abs(Double(silu[i]) - exactSilu) <= 3e-7 * abs(v * Double(up[i])))
        #expect(abs(Double(gelu[i]) - exactGelu) <= 1e-6 * abs(v * Double(up[i])))
      }
    }
    var ends: [Float] = [0, 200, -200, .nan, 1e30, -1e30]
    kl_swiglu(body.isa, &ends, [1, 1, 1, 1, 1, 1], 6)
    #expect(ends[0] == 0 && ends[1] == 200 && abs(ends[2]) < 1e-30 && ends[3].isNaN && ends[4] == 1e30)
    #expect(abs(ends[5]) < 1e-5)
  }

  @Test(arguments: Body.all) func addAndScale(body: Body) {
    var noise = Noise(27)
    for n in Self.counts {
      let x = noise.floats(n), y = noise.floats(n)
      var sum = x
      kl_add(body.isa, &sum, y, n)
      #expect(identical(sum, zip(x, y).map { $0 + $1 }))
      kl_scale(body.isa, &sum, 0.3, n)
      #expect(identical(sum, zip(x, y).map { ($0 + $1) * 0.3 }))
    }
  }

  @Test(arguments: Body.all) func argmaxTakesTheFirstOfEqualsAndNeverNaN(body: Body) {
    var noise = Noise(28)
    for n in [1, 5, 16, 255, 256, 257, 1000, 5000] {
      var x = noise.floats(n)
      #expect(kl_argmax(body.isa, x, n) == Int64(x.firstIndex(of: x.max()!)!))
      for place in [0, n / 2, n - 1] {
        x[place] = 2
        #expect(kl_argmax(body.isa, x, n) == Int64(x.firstIndex(of: 2)!))
      }
      x[0] = .nan
      #expect(kl_argmax(body.isa, x, n) == (n == 1 ? -1 : Int64(x.firstIndex(of: 2)!)))
      #expect(kl_argmax(body.isa, [Float](repeating: .nan, count: n), n) == -1)
      #expect(kl_argmax(body.isa, [Float](repeating: -.infinity, count: n), n) == 0)
      #expect(kl_argmax(body.isa, [.nan] + [Float](repeating: -.infinity, count: n), n + 1) == 1)
      #expect(kl_argmax(body.isa, x + [.infinity], n + 1) == Int64(n))
    }
    #expect(kl_argmax(body.isa, [], 0) == -1)
  }
}
