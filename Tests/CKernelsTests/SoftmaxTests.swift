import CKernels
import Foundation
import Testing

@Suite struct SoftmaxTests {
  /// Running softmax of one head with a value row per score.
  private struct Running {
    var maxima: [Float]
    var sums: [Float]
    var acc: [Float]

    init(heads: Int, width: Int) {
      maxima = .init(repeating: -.infinity, count: heads)
      sums = .init(repeating: 0, count: heads)
      acc = .init(repeating: 0, count: heads * width)
    }

    mutating func add(_ isa: kl_isa, scores: inout [Float], heads: Int, n: Int, stride: Int, width: Int) {
      kl_softmax_block(isa, &scores, stride, heads, n, &maxima, &sums, &acc, width, width)
    }
  }

  @Test(arguments: Body.all) func blocksAddUpToTheWholeSoftmax(body: Body) {
    var noise = Noise(23)
    let (heads, width) = (3, 20)
    for sizes in [[1, 2, 5], [16, 17, 33], [64, 3, 128]] {
      var running = Running(heads: heads, width: width)
      var all = [[Float]](repeating: [], count: heads)
      var exactAcc = [[Double]](repeating: .init(repeating: 0, count: width), count: heads)
      var values: [[Float]] = []
      for n in sizes {
        let stride = n + 1
        let scores = noise.floats(heads * stride, scale: 12)
        var weights = scores
        running.add(body.isa, scores: &weights, heads: heads, n: n, stride: stride, width: width)
        let v = noise.floats(n * width)
        values.append(v)
        kl_accumulate_f32(KL_SCALAR, weights, stride, heads, v, n, width, &running.acc, width)
        for h in 0..<heads {
          all[h] += scores[h * stride..<h * stride + n]
          for i in 0..<n {
            let exact = exp(Double(scores[h * stride + i] - running.maxima[h]))  // the difference rounds first
            #expect(abs(Double(weights[h * stride + i]) - exact) <= 2e-7 * exact + 1e-38)
          }
          #expect(weights[h * stride + n] == scores[h * stride + n])
        }
      }
      let rows = values.flatMap { $0 }
      for h in 0..<heads {
        let maximum = all[h].max()!
        #expect(running.maxima[h] == maximum)
        let weights = all[h].map { exp(Double($0 - maximum)) }
        let sum = weights.reduce(0, +)
        #expect(abs(Double(running.sums[h]) - sum) <= 1e-6 * sum)
        for d in 0..<width {
          for (i, w) in weights.enumerated() { exactAcc[h][d] += w * Double(rows[i * width + d]) }
          #expect(abs(Double(running.acc[h * width + d]) - exactAcc[h][d]) <= 2e-6 * sum)
        }
      }
    }
  }

  @Test(arguments: Body.all) func minusInfinityCountsNothing(body: Body) {
    var running = Running(heads: 1, width: 4)
    var scores = [Float](repeating: -.infinity, count: 37)
    running.add(body.isa, scores: &scores, heads: 1, n: 37, stride: 37, width: 4)
    #expect(scores.allSatisfy { $0 == 0 } && running.sums[0] == 0 && running.maxima[0] == -.infinity)
    var more: [Float] = [-.infinity, 3, -.infinity, 3] + [Float](repeating: -.infinity, count: 20)
    running.add(body.isa, scores: &more, heads: 1, n: 24, stride: 24, width: 4)
    #expect(more == [0, 1, 0, 1] + [Float](repeating: 0, count: 20))
    #expect(running.sums[0] == 2 && running.maxima[0] == 3 && running.acc == [0, 0, 0, 0])
  }

  @Test(arguments: Body.all) func aNaNScoreMakesTheSumNaN(body: Body) {
    for n in [1, 16, 17, 40] {
      var running = Running(heads: 2, width: 4)
      var scores = [Float](repeating: 1, count: 2 * n)
      scores[n - 1] = .nan
      running.add(body.isa, scores: &scores, heads: 2, n: n, stride: n, width: 4)
      #expect(running.sums[0].isNaN)
      #expect(running.sums[1] == Float(n))
    }
  }
}
