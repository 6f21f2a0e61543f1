import Schemes
import Testing

@Suite struct CacheSchemeTests {
    @Test func expressions() throws {
        #expect(try CacheScheme(expression: "affine-q4-g64").description == "affine-q4-g64")
        #expect(try CacheScheme(expression: "v=fp16,k=affine-q8-g32").description == "k=affine-q8-g32,v=fp16")
        #expect(try CacheScheme(expression: "k=fp16,v=fp16").description == "fp16")
    }

    @Test func mistakesAreNamed() {
        func message(_ expression: String) -> String {
            do {
                _ = try CacheScheme(expression: expression)
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(message("afine-q4-g64").hasPrefix("Unknown scheme 'afine-q4-g64'. Did you mean 'affine-q4-g64'? Available: fp32, fp16"))
        #expect(message("k=fp16") == "Scheme expression 'k=fp16', character 8: 'v' is missing; write k=NAME,v=NAME.")
        #expect(message("k=fp16,k=fp32") == "Scheme expression 'k=fp16,k=fp32', character 8: 'k' is given twice.")
        #expect(message("k=fp16,q=fp32") == "Scheme expression 'k=fp16,q=fp32', character 8: expected k=NAME or v=NAME, found 'q=fp32'.")
    }

    @Test func widthsThatDoNotFitAreRefused() throws {
        let scheme = try SchemeRegistry.scheme(named: "affine-q4-g64")
        #expect {
            try SegmentLayout(scheme: scheme, width: 100)
        } throws: {
            "\($0)" == "Scheme 'affine-q4-g64' needs rows of a multiple of 64 elements, and these have 100; fp16 takes any."
        }
    }

    @Test func bitsPerElement() throws {
        for (name, bits) in [("affine-q4-g64", 4.5), ("affine-q2-g32", 3), ("affine-q8-g128", 8.25), ("fp16", 16), ("fp32", 32)] {
            #expect(try SchemeRegistry.scheme(named: name).bitsPerElement(width: 128) == bits)
        }
    }

    @Test func namesAreUnique() {
        #expect(Set(SchemeRegistry.all.map(\.name)).count == SchemeRegistry.all.count)
    }
}
