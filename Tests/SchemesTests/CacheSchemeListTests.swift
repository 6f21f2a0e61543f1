import Schemes
import Testing

@Suite struct CacheSchemeListTests {
    @Test(arguments: [
        ("q8_0,q4_0", ["q8_0", "q4_0"]),
        ("q8_0 q4_0", ["q8_0", "q4_0"]),
        (" q8_0 ,  q4_0, ", ["q8_0", "q4_0"]),
        ("k=q8_0,v=q4_0", ["k=q8_0,v=q4_0"]),
        ("fp16,k=q8_0,v=q4_0,bf16", ["fp16", "k=q8_0,v=q4_0", "bf16"]),
        ("v=q8_0,k=q4_0,k=q8_0,v=q4_0", ["k=q4_0,v=q8_0", "k=q8_0,v=q4_0"]),
        ("hadamard-64(q4_0),k=hadamard-32(q8_0),v=q4_0", ["hadamard-64(q4_0)", "k=hadamard-32(q8_0),v=q4_0"]),
        ("fp16 layers 0,1: q8_0; rest: fp32,q4_0", ["fp16", "layers 0-1: q8_0; rest: fp32", "q4_0"]),
        ("", []),
    ])
    func expressions(text: String, expected: [String]) throws {
        #expect(try CacheScheme.list(text).map(\.description) == expected)
    }

    @Test func mistakesAreThoseOfTheExpression() {
        #expect(throws: SchemeError.self) { try CacheScheme.list("q8_0,q4_2") }
        #expect(throws: SchemeError.malformed(
            expression: "fp16,k=q8_0,q4_0", position: 13, problem: "expected k=NAME or v=NAME, found 'q4_0'")) {
            try CacheScheme.list("fp16,k=q8_0,q4_0")
        }
        #expect(throws: SchemeError.malformed(
            expression: "fp16,hadamard-64(q4_0", position: 22, problem: "the bracket is not closed; a ')' is missing")) {
            try CacheScheme.list("fp16,hadamard-64(q4_0")
        }
    }
}
