import Caches
import Testing

/// The sentences, word for word.
@Suite struct CachesErrorTests {
    @Test(arguments: [
        (CachesError.budgetExceeded(needed: 3, used: 2, budget: 4),
            "The cache budget of 4 bytes is too small: 2 bytes are in use and 3 more are needed."),
        (.alreadyEncoded(agent: "a", to: 5, kept: 7..<9),
            "The cache of agent 'a' cannot go back to 5 tokens: rows that wait in 16-bit floats then are quantized already; "
                + "it can go back to 7 tokens or more."),
        (.mismatch(file: "f", what: "scheme", expected: "a", found: "b"), "f was made with scheme 'b' and not 'a'; it is not used."),
        (.damaged(file: "f", what: "it is short"), "f is damaged: it is short; it is not used."),
        (.noAgent(agent: "a", folder: "f"), "There is no cache of agent 'a' in f."),
        (.agentExists(agent: "a", folder: "f"),
            "There is a cache of agent 'a' in f already; evict it first, or import under another name."),
        (.inUse(folder: "f", owner: "process 7"),
            "The cache folder f is in use by process 7; wait until it is done, or use another folder."),
        (.readOnly(folder: "f", reason: "Read-only file system"),
            "The cache folder f cannot be written (Read-only file system): caches are read from it and none are saved."),
        (.cannotUseFolder(folder: "f", reason: "Not a directory"), "Cannot use the cache folder f: Not a directory."),
        (.cannotSave(agent: "a", reason: "cannot write x: No space left on device."),
            "The cache of agent 'a' was not saved, and the one saved before is whole: cannot write x: No space left on device."),
        (.needsKey(file: "f"), "f is encrypted: give the key that it was written with."),
        (.wrongKey(file: "f"),
            "f does not open with this key: it was written with another one, or it is damaged; it is not used."),
        (.badKey(source: "f", problem: "it has 5 bytes"),
            "The key in f cannot be used: it has 5 bytes; a key is 32 bytes, or 64 hexadecimal digits."),
        (.notACard(file: "f", problem: "its format is 'x' and not 'kvlab-card'"),
            "f is no card of an agent's cache: its format is 'x' and not 'kvlab-card'."),
        (.notTrusted(file: "f", problem: "it is not signed"), "f is not accepted: it is not signed."),
        (.noSuchPart(agent: "a", part: "the last 7 tokens", problem: "its context has 5 tokens"),
            "No card can be made of the last 7 tokens of agent 'a': its context has 5 tokens."),
        (.rowsWait(scheme: "kivi-2"),
            "A card holds encoded rows only, and scheme 'kivi-2' leaves the newest in 16-bit floats; take a scheme without a "
                + "residual window."),
        (.notALadder(lower: "a", higher: "b"),
            "'a' and 'b' cannot be rungs of one ladder: the one with more bits must have less error."),
        (.badAddress(text: "a"), "'a' is no address; write HOST:PORT or unix:PATH."),
        (.noLink(address: "h:1", reason: "Connection refused"), "Cannot use the address h:1: Connection refused."),
        (.linkBroken(peer: "h:1", reason: "it closed the connection"), "The connection to h:1 broke: it closed the connection."),
        (.linkRefused(peer: "h:1", reason: "it has none"), "The handoff with h:1 was refused: it has none."),
    ])
    func sentence(error: CachesError, sentence: String) { #expect("\(error)" == sentence) }
}
