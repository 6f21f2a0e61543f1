import CKernels
import Testing

@Suite struct RandomTests {
  private func bytes(seed: UInt64, offset: UInt64, count: Int) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: count)
    kl_random_bytes(seed, offset, &out, count)
    return out
  }

  @Test func aByteDependsOnItsPlaceOnly() {
    let whole = bytes(seed: 42, offset: 0, count: 1000)
    for (offset, count) in [(8, 100), (16, 1), (96, 7), (512, 488), (992, 8)] {
      #expect(bytes(seed: 42, offset: UInt64(offset), count: count) == Array(whole[offset..<offset + count]))
    }
    #expect(bytes(seed: 43, offset: 0, count: 1000) != whole)
  }

  @Test func theGeneratorNeverChanges() {
    #expect(bytes(seed: 0, offset: 0, count: 12) == [111, 126, 25, 77, 47, 221, 6, 167, 94, 79, 65, 244])
  }

  @Test func bitsAreEven() {
    let sample = bytes(seed: 7, offset: 1 << 40, count: 1 << 16)
    for bit in 0..<8 {
      let ones = sample.reduce(0) { $0 + Int($1 >> bit & 1) }
      #expect(abs(ones - 1 << 15) < 600)  // 4.7 standard deviations
    }
    #expect(Set(sample).count == 256)
  }
}
