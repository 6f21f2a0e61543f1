/// `pairs(X)`: scheme X on rows whose two halves are dealt out in turns: elements 0, w/2, 1, w/2 + 1, ….
///
/// Rotary embedding turns element i of a key with element i + w/2. GGUF files of Llama lay such pairs side by side, so that a block
/// of a quantized key holds other elements in llama.cpp than here; this stores them as they are there. Bytes are those of X.
/// - Source: `permute` in llama.cpp `conversion/llama.py`.
public enum PairsScheme {
    public static func scheme(_ inner: any KVScheme) -> RotatedScheme {
        RotatedScheme(
            name: "pairs(\(inner.name))", summary: "the halves of a row dealt out in turns, then: \(inner.summary)", rotation: .pairs,
            inner: inner)
    }

    static let wrapper = SchemeWrapper(
        name: "pairs", summary: "any scheme X on rows in the order of Llama's keys in GGUF files: the halves dealt out in turns"
    ) { scheme($0) }
}
