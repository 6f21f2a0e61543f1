/// Finds any of a set of texts in a text: the leftmost match and, of those that start there, the longest.
struct TokenTrie: Sendable {
    /// (node, next byte) → node. Node 0 is the root.
    private var edges: [UInt64: Int32] = [:]
    /// Node → index of the text that ends there, or −1.
    private var texts: [Int32] = [-1]
    /// Whether a text starts with this byte: most bytes of a text are passed with this one look.
    private var starts = [Bool](repeating: false, count: 256)

    /// A trie over texts that are not empty and pairwise different; matches report their index in the list.
    init(_ list: [[UInt8]]) {
        for (index, text) in list.enumerated() {
            var node: Int32 = 0
            for byte in text {
                if let next = edges[Self.key(node, byte)] {
                    node = next
                } else {
                    edges[Self.key(node, byte)] = Int32(texts.count)
                    node = Int32(texts.count)
                    texts.append(-1)
                }
            }
            texts[Int(node)] = Int32(index)
            starts[Int(text[0])] = true
        }
    }

    private static func key(_ node: Int32, _ byte: UInt8) -> UInt64 { UInt64(node) << 8 | UInt64(byte) }

    /// The first match at or after `from`.
    func nextMatch(in text: UTF8Text, from: Int) -> (index: Int, range: Range<Int>)? {
        guard !edges.isEmpty else { return nil }
        var start = from
        while start < text.count {
            if starts[Int(text[start])], let (index, end) = longestMatch(in: text, at: start) {
                return (index, start..<end)
            }
            start += 1
        }
        return nil
    }

    private func longestMatch(in text: UTF8Text, at start: Int) -> (index: Int, end: Int)? {
        var node: Int32 = 0
        var at = start
        var found: (Int, Int)?
        while at < text.count, let next = edges[Self.key(node, text[at])] {
            node = next
            at += 1
            if texts[Int(node)] >= 0 { found = (Int(texts[Int(node)]), at) }
        }
        return found
    }
}
