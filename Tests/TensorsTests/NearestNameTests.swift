import Tensors
import Testing

@Suite struct NearestNameTests {
    @Test func findsWhatWasMeant() {
        let names = ["affine-q4-g64", "affine-q8-g64", "fp16"]
        #expect(nearestName(to: "afine-q4-g64", in: names) == "affine-q4-g64")
        #expect(nearestName(to: "FP16", in: names) == "fp16")
        #expect(nearestName(to: "something else", in: names) == nil)
    }
}
