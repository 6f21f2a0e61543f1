import ArgumentParser
import Caches
import Engine
import Foundation
import Models
import Schemes
import Tensors

/// What a card is to be like.
struct CardMakingOptions: ParsableArguments {
    @Option(help: "Only the last tokens, so many.")
    var last: Int?

    @Option(help: "Only tokens from this place in the context on, counted from 0.")
    var from: Int?

    @Option(help: "Only tokens before this place in the context.")
    var to: Int?

    @Option(help: "The card's scheme; that of the cache by default.")
    var kv: String?

    @Option(help: "Close it with the shared key in this file: 32 bytes, or 64 hexadecimal digits.")
    var cardKeyFile: String?

    @Option(help: "Sign it with the Ed25519 key in this file: 32 bytes, or 64 hexadecimal digits.")
    var signWith: String?

    var isEmpty: Bool { [last, from, to].allSatisfy { $0 == nil } && [kv, cardKeyFile, signWith].allSatisfy { $0 == nil } }

    func request() throws -> CardRequest {
        guard last == nil || from == nil && to == nil, (from == nil) == (to == nil) else {
            throw ValidationError("Give --last, or --from and --to.")
        }
        guard cardKeyFile == nil || signWith == nil else { throw ValidationError("Give --card-key-file or --sign-with.") }
        var request = CardRequest()
        if let last { request.part = .last(last) }
        if let from, let to {
            guard from < to else { throw ValidationError("--from must be below --to.") }
            request.part = .span(from..<to)
        }
        if let kv { request.precision = .uniform(try CacheScheme(expression: kv)) }
        if let cardKeyFile { request.sealer = .secret(try CacheKey(file: cardKeyFile)) }
        if let signWith { request.sealer = .signature(try CardSigner([UInt8](InputFile.bytes(signWith)), source: signWith)) }
        return request
    }
}

/// Which cards are taken, and how.
struct CardTakingOptions: ParsableArguments {
    @Flag(help: "Put the card's tokens behind what the agent has.")
    var behind = false

    @Option(help: "The scheme to save in; the card's by default.")
    var kv: String?

    @Option(help: ArgumentHelp("The model, to turn keys to other positions.", valueName: "DIR|FILE.gguf"))
    var weights: String?

    @Option(help: "Take only cards that were closed with the shared key in this file.")
    var cardKeyFile: String?

    @Option(help: "Take only cards signed with this public key, 64 hexadecimal digits; may be given more than once.")
    var signer: [String] = []

    var isEmpty: Bool { !behind && [kv, weights, cardKeyFile].allSatisfy { $0 == nil } && signer.isEmpty }

    func trust() throws -> CardTrust {
        guard cardKeyFile == nil || signer.isEmpty else { throw ValidationError("Give --card-key-file or --signer.") }
        if let cardKeyFile { return .secret(try CacheKey(file: cardKeyFile)) }
        return signer.isEmpty ? .anyone : .signers(Set(signer.map { $0.lowercased() }))
    }

    func scheme() throws -> CacheScheme? { try kv.map { try CacheScheme(expression: $0) } }

    /// How the model turns keys; nil where none is named.
    func rotations(_ header: CardHeader) throws -> KeyRotations? {
        try weights.map { try Checkpoint.open($0).configuration.keyRotations(mlaForm: header.spec.mlaForm) }
    }

    /// Does the file say that it is a card?
    static func isCard(_ path: String) throws -> Bool { try SafetensorsFile(path: path).metadata["format"] == CardHeader.format }
}
