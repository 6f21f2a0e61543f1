/// What can go wrong with agents' caches, each as one sentence.
public enum CachesError: Error, Equatable, CustomStringConvertible {
    case budgetExceeded(needed: Int, used: Int, budget: Int)
    case cannotTruncate(agent: String, to: Int, kept: Range<Int>)
    case alreadyEncoded(agent: String, to: Int, kept: Range<Int>)
    case mismatch(file: String, what: String, expected: String, found: String)
    case damaged(file: String, what: String)
    case noAgent(agent: String, folder: String)
    case agentExists(agent: String, folder: String)
    case inUse(folder: String, owner: String)
    case readOnly(folder: String, reason: String)
    case cannotUseFolder(folder: String, reason: String)
    case cannotSave(agent: String, reason: String)
    case needsKey(file: String)
    case wrongKey(file: String)
    case badKey(source: String, problem: String)
    case notExportable(what: String, form: String, supported: String)
    case notAnExport(file: String, problem: String)
    case notACard(file: String, problem: String)
    case notTrusted(file: String, problem: String)
    case noSuchPart(agent: String, part: String, problem: String)
    case rowsWait(scheme: String)
    case notALadder(lower: String, higher: String)
    case badAddress(text: String)
    case noLink(address: String, reason: String)
    case linkBroken(peer: String, reason: String)
    case linkRefused(peer: String, reason: String)

    public var description: String {
        switch self {
        case .budgetExceeded(let needed, let used, let budget):
            "The cache budget of \(budget) bytes is too small: \(used) bytes are in use and \(needed) more are needed."
        case .cannotTruncate(let agent, let to, let kept):
            "The cache of agent '\(agent)' cannot go back to \(to) tokens: its windowed layers keep tokens "
                + "\(kept.lowerBound) to \(kept.upperBound) only."
        case .alreadyEncoded(let agent, let to, let kept):
            "The cache of agent '\(agent)' cannot go back to \(to) tokens: rows that wait in 16-bit floats then are quantized "
                + "already; it can go back to \(kept.lowerBound) tokens or more."
        case .mismatch(let file, let what, let expected, let found):
            "\(file) was made with \(what) '\(found)' and not '\(expected)'; it is not used."
        case .damaged(let file, let what):
            "\(file) is damaged: \(what); it is not used."
        case .noAgent(let agent, let folder): "There is no cache of agent '\(agent)' in \(folder)."
        case .agentExists(let agent, let folder):
            "There is a cache of agent '\(agent)' in \(folder) already; evict it first, or import under another name."
        case .inUse(let folder, let owner):
            "The cache folder \(folder) is in use by \(owner); wait until it is done, or use another folder."
        case .readOnly(let folder, let reason):
            "The cache folder \(folder) cannot be written (\(reason)): caches are read from it and none are saved."
        case .cannotUseFolder(let folder, let reason): "Cannot use the cache folder \(folder): \(reason)."
        case .cannotSave(let agent, let reason):
            "The cache of agent '\(agent)' was not saved, and the one saved before is whole: \(reason)"
        case .needsKey(let file): "\(file) is encrypted: give the key that it was written with."
        case .wrongKey(let file):
            "\(file) does not open with this key: it was written with another one, or it is damaged; it is not used."
        case .badKey(let source, let problem):
            "The key in \(source) cannot be used: \(problem); a key is 32 bytes, or 64 hexadecimal digits."
        case .notExportable(let what, let form, let supported):
            "\(what) has no place in the form '\(form)'; it takes \(supported)."
        case .notAnExport(let file, let problem): "\(file) is no exported cache: \(problem)."
        case .notACard(let file, let problem): "\(file) is no card of an agent's cache: \(problem)."
        case .notTrusted(let file, let problem): "\(file) is not accepted: \(problem)."
        case .badAddress(let text): "'\(text)' is no address; write HOST:PORT or unix:PATH."
        case .noLink(let address, let reason): "Cannot use the address \(address): \(reason)."
        case .linkBroken(let peer, let reason): "The connection to \(peer) broke: \(reason)."
        case .linkRefused(let peer, let reason): "The handoff with \(peer) was refused: \(reason)."
        case .rowsWait(let scheme):
            "A card holds encoded rows only, and scheme '\(scheme)' leaves the newest in 16-bit floats; take a scheme without a "
                + "residual window."
        case .notALadder(let lower, let higher):
            "'\(lower)' and '\(higher)' cannot be rungs of one ladder: the one with more bits must have less error."
        case .noSuchPart(let agent, let part, let problem):
            "No card can be made of \(part) of agent '\(agent)': \(problem)."
        }
    }
}
