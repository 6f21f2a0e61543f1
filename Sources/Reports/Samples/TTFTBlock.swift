/// The TTFT samples of one shape under one protocol with one scheme and one set of weights: what one table or one
/// panel of a figure is about.
struct TTFTBlock {
    struct Key: Hashable {
        var shape: String
        var paperModel: String
        var weights: String
        var protocolName: String
        var scheme: String

        init(_ sample: TTFTSample) {
            shape = sample.shape
            paperModel = sample.paperModel
            weights = sample.weights
            protocolName = sample.protocolName
            scheme = sample.scheme
        }
    }

    struct Place: Hashable {
        /// Tokens of the context that a conversation starts from; a hot request is longer.
        var context: Int
        var state: CacheState
    }

    var key: Key
    /// The shape, then whatever tells this block from the others of the run: fit for a file name.
    var id: String
    /// "llama3.1-8b, corrected protocol", and more where that is not enough to tell it from the others.
    var title: String
    /// Samples with a TTFT, in the order of measuring.
    private(set) var samples: [Place: [TTFTSample]] = [:]
    /// Requests without a TTFT: they failed.
    private(set) var failedCount = 0

    /// Context lengths, ascending.
    var contexts: [Int] { Set(samples.keys.map(\.context)).sorted() }
    /// States that occur, cold first.
    var states: [CacheState] { Set(samples.keys.map(\.state)).sorted(by: CacheState.inOrder) }

    subscript(context: Int, state: CacheState) -> [TTFTSample] {
        samples[Place(context: context, state: state)] ?? []
    }

    /// Every cold sample of one context.
    func cold(_ context: Int) -> [TTFTSample] {
        states.filter { $0.name == "cold" }.flatMap { self[context, $0] }
    }

    /// Splits samples into blocks, in the order in which the blocks first occur.
    static func all(_ samples: [TTFTSample]) -> [TTFTBlock] {
        var keys: [Key] = []
        for key in samples.map(Key.init) where !keys.contains(key) { keys.append(key) }
        return keys.map { key in
            var block = TTFTBlock(key: key, id: id(key, among: keys), title: title(key, among: keys))
            let own = samples.filter { Key($0) == key }
            let cold = Set(own.filter { $0.state.name == "cold" }.map(\.contextTokens)).sorted()
            for sample in own {
                guard sample.ttftSeconds.isFinite else {
                    block.failedCount += 1
                    continue
                }
                // An extended request belongs to the context that it extends.
                let context = cold.last { $0 <= sample.contextTokens } ?? sample.contextTokens
                block.samples[Place(context: context, state: sample.state), default: []].append(sample)
            }
            return block
        }
    }

    /// The published context length that `tokens` stands for: the power of two of which it is 80 to 105 %. P1 cuts
    /// its contexts by characters, so that its 1K, 4K, 16K and 32K are about 927, 3,661, 14,200 and 28,600 tokens.
    static func nominal(_ tokens: Int) -> Int {
        var power = 1
        while Double(tokens) > 1.05 * Double(power) { power *= 2 }
        return Double(tokens) >= 0.8 * Double(power) ? power : tokens
    }

    /// `numerator` ÷ `denominator`, each divided within one pass, so that what drifts between passes cancels. Passes
    /// that lack one of the two give nothing.
    static func ratios(_ numerator: [TTFTSample], to denominator: [TTFTSample]) -> [Double] {
        let below = Dictionary(grouping: denominator, by: \.pass)
        var used: [Int: Int] = [:]
        return numerator.compactMap { sample in
            let index = used[sample.pass, default: 0]
            guard let partners = below[sample.pass], index < partners.count else { return nil }
            used[sample.pass] = index + 1
            return sample.ttftSeconds / partners[index].ttftSeconds
        }
    }

    private init(key: Key, id: String, title: String) {
        self.key = key
        self.id = id
        self.title = title
    }

    private static func varies(_ path: KeyPath<Key, String>, _ keys: [Key]) -> Bool {
        Set(keys.map { $0[keyPath: path] }).count > 1
    }

    private static func id(_ key: Key, among keys: [Key]) -> String {
        let paths: [KeyPath<Key, String>] = [\.protocolName, \.scheme, \.weights]
        let parts = [key.shape] + paths.filter { varies($0, keys) }.map { key[keyPath: $0] }
        return fileName(parts.joined(separator: "-"))
    }

    private static func title(_ key: Key, among keys: [Key]) -> String {
        "\(key.shape), \(key.protocolName) protocol" + (varies(\.scheme, keys) ? ", \(key.scheme)" : "")
            + (varies(\.weights, keys) ? ", \(key.weights)" : "")
    }
}

/// `text` as part of a file name: everything but letters, digits, "." and "_" becomes "-".
func fileName(_ text: String) -> String {
    let kept = text.lowercased().unicodeScalars.map { scalar in
        switch scalar {
        case "a"..."z", "0"..."9", ".", "_": Character(scalar)
        default: Character("-")
        }
    }
    return String(kept)
}
