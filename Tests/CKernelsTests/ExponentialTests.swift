import CKernels
import Foundation
import Testing

/// The exponential and the hyperbolic tangent that softmax, gates and soft caps share, seen through them.
@Suite struct ExponentialTests {
  /// e^x of x ≤ 0 as the softmax computes it.
  private func exponentials(_ isa: kl_isa, _ x: [Float]) -> [Float] {
    var scores = [0] + x
    var (maximum, sum, acc): (Float, Float, Float) = (-.infinity, 0, 0)
    kl_softmax_block(isa, &scores, scores.count, 1, scores.count, &maximum, &sum, &acc, 1, 1)
    return Array(scores.dropFirst())
  }

  @Test(arguments: Body.all) func relativeError(body: Body) {
    let x = (0...400_000).map { -Float($0) * (87.3 / 400_000) }
    var worst = 0.0
    for (x, y) in zip(x, exponentials(body.isa, x)) { worst = max(worst, abs(Double(y) / exp(Double(x)) - 1)) }
    #expect(worst <= 1.2e-7)
  }

  @Test(arguments: Body.all) func ends(body: Body) {
    let y = exponentials(body.isa, [0, -0.0, -104, -200, -3e38, -.infinity, -87.4, -88, -103])
    #expect(Array(y[0...5]) == [1, 1, 0, 0, 0, 0])
    for (x, value) in zip([-87.4, -88, -103.0], y[6...]) { #expect(abs(Double(value) - exp(x)) <= 0x1p-126) }
  }

  @Test(arguments: Body.all) func tangentThroughTheSoftCap(body: Body) {
    // Two keys: 0 and x, values 0 and 1. The output is the logistic function of cap · tanh(x / cap).
    let cap: Float = 3
    for i in stride(from: Float(-40), through: 40, by: 0.37) {
      let workspace = AlignedBytes(kl_flash_workspace(KL_REFERENCE, 1, 2, 1, 1))
      var out: Float = .nan
      kl_flash_begin(body.isa, KL_REFERENCE, workspace.pointer, [1], 1, 1, 2, 1, 1)
      kl_flash_tile(body.isa, KL_REFERENCE, workspace.pointer, [0, i], [0, 1], 2, 0, [0], [2], cap)
      kl_flash_end(body.isa, KL_REFERENCE, workspace.pointer, &out, 1)
      let exact = 1 / (1 + exp(-Double(cap) * tanh(Double(i / cap))))
      #expect(abs(Double(out) - exact) <= 4e-7, "\(i)")
    }
  }
}
