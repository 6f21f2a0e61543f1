import Results

/// What one cache did to predictions in the comparison with llama.cpp.
struct PeerQuality {
    /// llama-perplexity prints a divergence with six decimals.
    static let printedStep = 1e-6

    let model: String
    let contender: String
    let program: String
    let version: String
    let kv: String
    let base: String
    let window: Int
    let windows: Int
    let scored: Int
    let mean: Double
    let standardError: Double
    let sameTop: Double
    let bytesPerToken: Double
    /// The contender that stores the same; empty where there is none.
    let beside: String
    let lowestRatio: Double
    let highestRatio: Double
    let failure: String
    let threads: Int
    let isa: String

    /// Every row of a run.
    /// - Throws: ``ReportsError/missingColumn(table:column:kind:)``.
    static func all(_ table: ResultTable) throws -> [PeerQuality] {
        let texts = try ["model", "contender", "program", "version", "kv", "base_kv", "beside", "failure", "isa"]
            .map { try table.requiredStrings($0) }
        let counts = try ["window_tokens", "windows", "tokens_scored", "threads"].map { try table.requiredInts($0) }
        let numbers = try ["kld_mean", "kld_standard_error", "same_top", "bytes_per_token", "lowest_ratio", "highest_ratio"]
            .map { try table.requiredDoubles($0) }
        return (0..<table.rowCount).map { row in
            PeerQuality(
                model: texts[0][row], contender: texts[1][row], program: texts[2][row], version: texts[3][row], kv: texts[4][row],
                base: texts[5][row], window: counts[0][row], windows: counts[1][row], scored: counts[2][row], mean: numbers[0][row],
                standardError: numbers[1][row], sameTop: numbers[2][row], bytesPerToken: numbers[3][row], beside: texts[6][row],
                lowestRatio: numbers[4][row], highestRatio: numbers[5][row], failure: texts[7][row], threads: counts[3][row],
                isa: texts[8][row])
        }
    }
}
