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

    @Test func layersHaveTheirSchemes() throws {
        let scheme = try CacheScheme(expression: "layers 0-1,5: k=q8_0,v=q4_0; layers 7: fp16; rest: affine-q4-g64")
        #expect((0..<9).map { "\(scheme.scheme(ofLayer: $0))" } == [
            "k=q8_0,v=q4_0", "k=q8_0,v=q4_0", "affine-q4-g64", "affine-q4-g64", "affine-q4-g64", "k=q8_0,v=q4_0",
            "affine-q4-g64", "fp16", "affine-q4-g64",
        ])
        #expect(try CacheScheme(expression: scheme.description).description == scheme.description)
        try scheme.check(layerCount: 8)
        #expect {
            try scheme.check(layerCount: 7)
        } throws: {
            "\($0)" == "Scheme expression '\(scheme)', character 37: layer 7 is out of range: the model has layers 0 to 6."
        }
    }

    @Test func listsHaveSpacesBetween() throws {
        let list = try CacheScheme.list(" fp16 layers 0 : q8_0 ;rest: fp32  k=q8_0,v=q4_0 ")
        #expect(list.map(\.description) == ["fp16", "layers 0: q8_0; rest: fp32", "k=q8_0,v=q4_0"])
        #expect(try CacheScheme.list("  ").isEmpty)
    }

    @Test func mistakesInMapsAreNamed() {
        func problem(_ expression: String) -> String {
            do {
                return try "no error: \(CacheScheme(expression: expression))"
            } catch SchemeError.malformed(expression, let position, let problem) {
                return "\(position) \(problem)"
            } catch { return "\(error)" }
        }
        #expect(problem("layers 0: fp16;") == "16 expected 'layers' or 'rest', found the end")
        #expect(problem("rest: fp16; rest: fp16") == "13 'rest' is given twice")
        #expect(problem("layers 0,x: fp16; rest: fp16") == "10 expected the number of a layer, found 'x: fp16; rest: fp16'")
        #expect(problem("layers 0-: fp16; rest: fp16") == "10 expected the number of a layer, found ': fp16; rest: fp16'")
        #expect(problem("layers 0,0: fp16; rest: fp16") == "10 layer 0 is given twice")
        #expect(problem("layers 9999: fp16; rest: fp16") == "8 no model has 4096 layers")
        #expect(problem("layers 0: afine-q4-g64; rest: fp16")
            == "11 unknown scheme 'afine-q4-g64'; did you mean 'affine-q4-g64'")
        #expect(problem("rest: k=fp16") == "14 'v' is missing; write k=NAME,v=NAME")
        #expect(problem("rest: fp16 q8_0") == "11 expected the end, found ' q8_0'")
        #expect(problem("fp16; rest: q8_0") == "1 expected 'layers' or 'rest', found 'fp16'")
        #expect(problem("fp16,fp32") == "5 expected the end, found ',fp32'")
    }

    @Test func wrappers() throws {
        #expect(try CacheScheme(expression: "hadamard-64(affine-q4-g64)").description == "hadamard-64(affine-q4-g64)")
        #expect(
            try CacheScheme(expression: "v=q4_0,k=hadamard-32(hadamard-64(q4_0))").description
                == "k=hadamard-32(hadamard-64(q4_0)),v=q4_0")
        #expect(try SchemeRegistry.scheme(named: "hadamard-64(q8_0)").bytesPerToken(width: 128) == 136)
        let mixed = "mixed(saliency,32,hadamard-64(q8_0),q4_0)"
        #expect(try CacheScheme.list("\(mixed),q4_0 k=\(mixed),v=q8_0").map(\.description) == [mixed, "q4_0", "k=\(mixed),v=q8_0"])
        #expect(try CacheScheme(expression: "layers 0: \(mixed); rest: q4_0").description == "layers 0: \(mixed); rest: q4_0")
        #expect(throws: SchemeError.widthNotGrouped(scheme: "hadamard-128(q8_0)", width: 192, groupSize: 128)) {
            try SchemeRegistry.scheme(named: "hadamard-128(q8_0)").planes(width: 192)
        }
        #expect(throws: SchemeError.widthNotGrouped(scheme: "affine-q4-g128", width: 192, groupSize: 128)) {
            try SchemeRegistry.scheme(named: "hadamard-64(affine-q4-g128)").planes(width: 192)
        }
    }

    @Test func mistakesInWrappersAreNamed() {
        for (expression, position, problem) in [
            ("hadamard-64(afine-q4-g64)", 13, "unknown scheme 'afine-q4-g64'; did you mean 'affine-q4-g64'"),
            ("k=fp16,v=hadamard-64(q4_1_)", 22, "unknown scheme 'q4_1_'; did you mean 'q4_1'"),
            ("hadamard-63(q4_0)", 1, "unknown wrapper 'hadamard-63'; did you mean 'hadamard-64'"),
            ("hadamard-64(zzzzzzzz)", 13, "unknown scheme 'zzzzzzzz'; see kvlab schemes"),
            ("hadamard-64", 12, "'hadamard-64' goes around a scheme; write hadamard-64(affine-q4-g64)"),
            ("hadamard-64(q4_0", 17, "the bracket is not closed; a ')' is missing"),
            ("hadamard-64()", 13, "a scheme is missing"),
            ("(q4_0)", 1, "a wrapper is missing"),
            ("q4_0)", 5, "there is no '(' before this ')'"),
            ("hadamard-64(q4_0))", 17, "there is no '(' before this ')'"),
            ("mixed", 6, "'mixed' goes around a scheme; write mixed(saliency,64,affine-q4-g64,affine-q2-g64)"),
            ("mixed(random,64,q8_0)", 7, "mixed(POLICY,N,X,Y) takes 4 in its brackets, and these are 3"),
            ("mixed(salency,64,q8_0,q4_0)", 7, "unknown policy 'salency'; did you mean 'saliency'"),
            ("mixed(oracle,64,q8_0,q4_0)", 7, "policy 'oracle' looks ahead, and a cache encodes what it has: it is for cards only"),
            ("mixed(random,128,q8_0,q4_0)", 14, "N is a number of tokens from 1 to 127, not '128'"),
            (
                "mixed(random,64,q8_0,kivi-2)", 22,
                "'kivi-2' does not store each row by itself and at once, as schemes in 'mixed' must"
            ),
            ("k=q8_0,v=mixed(random,64,q8_0,q4)", 31, "unknown scheme 'q4'; did you mean 'q4_1'"),
        ] {
            #expect(throws: SchemeError.malformed(expression: expression, position: position, problem: problem)) {
                try CacheScheme(expression: expression)
            }
        }
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
