import CKernels
import Crypto
import Foundation

/// What a card is closed with, so that nobody takes an altered one.
public enum CardSeal: String, Sendable, CaseIterable {
    /// Checksums only: against accidents, not against people.
    case crc32c
    /// A key that sender and receiver share.
    case hmacSHA256 = "hmac-sha256"
    /// The sender's signature; its public key is on the card.
    case ed25519

    /// Bytes of the digest of each plane, and of the seal itself.
    var digestBytes: Int { self == .crc32c ? 4 : 32 }
    var sealBytes: Int {
        switch self {
        case .crc32c: 4
        case .hmacSHA256: 32
        case .ed25519: 64
        }
    }

    /// Writes the digest of `bytes`.
    func digest(_ bytes: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) {
        switch self {
        case .crc32c: Self.checksum(bytes).withUnsafeBytes(out.copyMemory)
        case .hmacSHA256, .ed25519: SHA256.hash(data: bytes).withUnsafeBytes(out.copyMemory)
        }
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let sum = bytes.baseAddress.map { kl_crc32c(0, $0, bytes.count) } ?? 0
        return withUnsafeBytes(of: sum.littleEndian) { Array($0) }
    }
}

/// How a sender closes its cards.
public enum CardSealer: Sendable {
    case checksum
    case secret(CacheKey)
    case signature(CardSigner)

    var seal: CardSeal {
        switch self {
        case .checksum: .crc32c
        case .secret: .hmacSHA256
        case .signature: .ed25519
        }
    }

    func close(_ bytes: UnsafeRawBufferPointer) throws -> [UInt8] {
        switch self {
        case .checksum: CardSeal.checksum(bytes)
        case .secret(let key): Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key.cardKey))
        case .signature(let signer): Array(try signer.key.signature(for: bytes))
        }
    }
}

/// A sender's signing key: Ed25519.
public struct CardSigner: Sendable {
    let key: Curve25519.Signing.PrivateKey

    /// A new key, drawn at random.
    public init() { key = Curve25519.Signing.PrivateKey() }

    /// - Parameters:
    ///   - bytes: 32 bytes, or 64 hexadecimal digits.
    ///   - source: where they come from, for the error.
    /// - Throws: ``CachesError/badKey(source:problem:)``.
    public init(_ bytes: [UInt8], source: String) throws {
        key = try Curve25519.Signing.PrivateKey(rawRepresentation: CacheKey.keyBytes(bytes, source: source))
    }

    /// What a receiver must know, 64 hexadecimal digits.
    public var publicKey: String { hexadecimal(key.publicKey.rawRepresentation) }
}

/// Which cards a receiver takes.
public enum CardTrust: Sendable {
    /// Those that are as they were made, whoever made them. Cards with a shared key cannot be checked then.
    case anyone
    /// Those that were closed with this key.
    case secret(CacheKey)
    /// Those that one of these public keys signed, 64 hexadecimal digits each.
    case signers(Set<String>)

    /// - Throws: ``CachesError/notTrusted(file:problem:)`` or ``CachesError/damaged(file:what:)``.
    func check(_ bytes: UnsafeRawBufferPointer, seal: CardSeal, signer: String?, code: UnsafeRawBufferPointer, file: String) throws {
        switch (self, seal) {
        case (.anyone, .crc32c):
            guard CardSeal.checksum(bytes).elementsEqual(code) else {
                throw CachesError.damaged(file: file, what: "its header does not match its checksum")
            }
        case (.secret(let key), .hmacSHA256):
            guard HMAC<SHA256>.isValidAuthenticationCode(Array(code), authenticating: bytes, using: key.cardKey) else {
                throw CachesError.notTrusted(file: file, problem: "its code is not one of this key, or it was altered")
            }
        case (.anyone, .ed25519), (.signers, .ed25519):
            guard let signer, let raw = CacheKey.digits(signer),
                let key = try? Curve25519.Signing.PublicKey(rawRepresentation: raw), key.isValidSignature(code, for: bytes)
            else { throw CachesError.notTrusted(file: file, problem: "its signature is not valid") }
            if case .signers(let known) = self, !known.contains(hexadecimal(raw)) {
                throw CachesError.notTrusted(file: file, problem: "it is signed by \(signer), who is not known here")
            }
        case (.anyone, .hmacSHA256):
            throw CachesError.notTrusted(file: file, problem: "it is closed with a shared key, and none is given")
        case (.secret, _):
            throw CachesError.notTrusted(file: file, problem: "it is not closed with a shared key, and one is given")
        case (.signers, _):
            throw CachesError.notTrusted(file: file, problem: "it is not signed")
        }
    }
}

extension CacheKey {
    /// The key that cards are closed with; caches at rest have others.
    var cardKey: SymmetricKey { derived("kvlab card") }
}

/// Two digits a byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
