import Results

/// One measured request: a row of the results table `ttft`. Times are in seconds, NaN where a stage did not happen.
struct TTFTSample: Equatable {
    var pass: Int
    var shape: String
    var paperModel: String
    var weights: String
    var protocolName: String
    /// As read back from the cache that served the request.
    var scheme: String
    var state: CacheState
    /// Are the context's rows random, and not those that a cold request computed?
    var hasRandomContext: Bool
    var contextTokens: Int
    var hitTokens: Int
    var newTokens: Int
    var ttftSeconds: Double
    var stageSeconds: [Stage: Double]
    /// Median decode step at the depth of this request.
    var decodeStepSeconds: Double
    var cacheBytes: Int
    var fileBytes: Int
    var bytesRead: Int
    var bytesWritten: Int
    var peakRSSBytes: Int
    var threads: Int
    var isa: String
    /// Did the tokens equal those of the cache that was never saved? nil where there is nothing to compare with.
    var sameTokens: Bool?

    /// The parts of a TTFT, in the order in which they happen.
    enum Stage: String, CaseIterable {
        case open, read, verify, place, forward, sample
    }

    /// The rows of `table`.
    /// - Throws: ``ReportsError/missingColumn(table:column:kind:)``.
    static func all(in table: ResultTable) throws -> [TTFTSample] {
        let pass = try table.requiredInts("pass")
        let shape = try table.requiredStrings("shape")
        let paperModel = try table.requiredStrings("paper_model")
        let weights = try table.requiredStrings("weights")
        let protocolName = try table.requiredStrings("protocol")
        let scheme = try table.requiredStrings("scheme")
        let state = try table.requiredStrings("state")
        let variant = try table.requiredStrings("variant")
        let pageCache = try table.requiredStrings("page_cache")
        // Files of before there was a choice do not have it.
        let contextRows = table.strings("context_rows")
        let contextTokens = try table.requiredInts("context_tokens")
        let hitTokens = try table.requiredInts("hit_tokens")
        let newTokens = try table.requiredInts("new_tokens")
        let ttft = try table.requiredDoubles("ttft_seconds")
        let stages = try Stage.allCases.map { ($0, try table.requiredDoubles($0.rawValue + "_seconds")) }
        let decodeStep = try table.requiredDoubles("decode_step_seconds")
        let cacheBytes = try table.requiredInts("cache_bytes")
        let fileBytes = try table.requiredInts("file_bytes")
        let bytesRead = try table.requiredInts("bytes_read")
        let bytesWritten = try table.requiredInts("bytes_written")
        let peakRSS = try table.requiredInts("peak_rss_bytes")
        let threads = try table.requiredInts("threads")
        let isa = try table.requiredStrings("isa")
        let same = try table.requiredInts("same_tokens")
        return (0..<table.rowCount).map { row in
            TTFTSample(
                pass: pass[row], shape: shape[row], paperModel: paperModel[row], weights: weights[row],
                protocolName: protocolName[row], scheme: scheme[row],
                state: CacheState(name: state[row], variant: variant[row], pageCache: pageCache[row]),
                hasRandomContext: contextRows?[row] == "random", contextTokens: contextTokens[row], hitTokens: hitTokens[row], newTokens: newTokens[row],
                ttftSeconds: ttft[row],
                stageSeconds: Dictionary(uniqueKeysWithValues: stages.map { ($0, $1[row]) }),
                decodeStepSeconds: decodeStep[row], cacheBytes: cacheBytes[row], fileBytes: fileBytes[row],
                bytesRead: bytesRead[row], bytesWritten: bytesWritten[row], peakRSSBytes: peakRSS[row],
                threads: threads[row], isa: isa[row], sameTokens: same[row] < 0 ? nil : same[row] == 1)
        }
    }
}

/// In which state the cache was when a request came: `state`, `variant` and `page_cache` of the table `ttft`.
struct CacheState: Hashable {
    /// "cold", "warm" or "hot".
    var name: String
    /// "exact": the identical prompt again; "extend": a longer one.
    var variant: String
    /// "dropped" or "resident" where a file was read, else "none".
    var pageCache: String

    /// "warm exact, dropped": what tells this state from the others.
    var label: String { kind + (pageCache == "none" || name == "cold" ? "" : ", \(pageCache)") }

    /// "warm exact": the label without the page cache.
    var kind: String { name == "cold" ? "cold" : "\(name) \(variant)" }

    /// The published state that this one stands for: warm is the identical prompt again, hot the third turn of a
    /// conversation. The other variants have no published counterpart.
    var published: String? {
        switch (name, variant) {
        case ("cold", _): "cold"
        case ("warm", "exact"): "warm"
        case ("hot", "extend"): "hot"
        default: nil
        }
    }

    /// Cold, warm, hot; exact before extend; dropped before resident.
    static func inOrder(_ a: CacheState, _ b: CacheState) -> Bool { a.rank.lexicographicallyPrecedes(b.rank) }

    private var rank: [String] {
        let first = ["cold": "0", "warm": "1", "hot": "2"][name] ?? "3\(name)"
        return [first, variant, pageCache]
    }
}
