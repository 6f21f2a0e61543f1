import CKernels
import Testing

@Suite struct CRC32CTests {
  private func bitwise(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82f6_3b78 : crc >> 1 }
    }
    return ~crc
  }

  @Test func knownValues() {
    #expect(kl_crc32c(0, "123456789", 9) == 0xe306_9283)
    #expect(kl_crc32c(0, [UInt8](repeating: 0, count: 32), 32) == 0x8a91_36aa)  // RFC 3720, B.4
    #expect(kl_crc32c(0, [UInt8](repeating: 0xff, count: 32), 32) == 0x62a8_ab43)
    #expect(kl_crc32c(0, [UInt8](), 0) == 0)
  }

  @Test func everyLengthAndStart() {
    var noise = Noise(29)
    let bytes = (0..<10_000).map { _ in UInt8(truncatingIfNeeded: noise.bits()) }
    for start in 0..<9 {
      for count in [0, 1, 7, 8, 9, 63, 3071, 3072, 3073, 6144, 9990] {
        let slice = Array(bytes[start..<start + count])
        #expect(kl_crc32c(0, slice, count) == bitwise(slice[...]))
      }
    }
  }

  @Test func itContinues() {
    var noise = Noise(30)
    let bytes = (0..<9000).map { _ in UInt8(truncatingIfNeeded: noise.bits()) }
    let whole = kl_crc32c(0, bytes, bytes.count)
    for cut in [1, 100, 3072, 5000] {
      let first = kl_crc32c(0, bytes, cut)
      #expect(kl_crc32c(first, Array(bytes[cut...]), bytes.count - cut) == whole)
    }
  }
}
