import CKernels
import Testing

@Suite struct IsaTests {
  @Test func scalarIsAlwaysThereAndTheBestIsSupported() {
    #expect(kl_isa_supported(KL_SCALAR))
    #expect(kl_isa_supported(kl_isa_best()))
  }

  @Test func anUnknownIsaIsNotSupported() {
    #expect(!kl_isa_supported(kl_isa(rawValue: 99)))
  }
}
