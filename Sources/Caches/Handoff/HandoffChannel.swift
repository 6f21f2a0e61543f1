import CKernels
import Crypto
import Foundation

/// Messages between a sender and a receiver of cards.
///
/// Each end first sends 16 bytes that name the protocol, a byte that says whether it has a shared key, and 32 random bytes.
/// Then messages follow: kind (1 byte), 3 zero bytes, length (4), number (8), all little endian; the bytes; and their tag,
/// a CRC-32C, or with a shared key an HMAC-SHA256 under a key of this connection and direction. So a message that was
/// altered, left out, repeated or carried over from another connection is refused. Nothing is encrypted.
final class HandoffChannel {
    enum Kind: UInt8 {
        /// Sender: a card's id and size, as JSON.
        case offer = 1
        /// Receiver: where to go on, 8 bytes.
        case accept
        /// Sender: bytes of the card.
        case data
        /// Sender: that was all.
        case end
        /// Receiver: the card is here and good.
        case done
        /// Either: why not, one sentence.
        case refused
        /// Sender: so many bytes follow that mean nothing, 8 bytes. Receiver: they came.
        case probe
    }

    static let longestMessage = 1 << 20
    private static let magic = Array("kvlab-handoff-1\n".utf8)

    let socket: LinkSocket
    private let sendKey: SymmetricKey?
    private let receiveKey: SymmetricKey?
    private var sent: UInt64 = 0
    private var received: UInt64 = 0
    private var buffer = [UInt8](repeating: 0, count: 0)

    /// Greets the other end.
    /// - Throws: ``CachesError/linkBroken(peer:reason:)``, ``CachesError/linkRefused(peer:reason:)``.
    init(_ socket: LinkSocket, key: CacheKey?, isSender: Bool) throws {
        self.socket = socket
        let nonce = (0..<32).map { _ in UInt8.random(in: 0...255) }
        let hello = Self.magic + [key == nil ? 0 : 1] + nonce
        try hello.withUnsafeBytes(socket.write)
        var theirs = [UInt8](repeating: 0, count: hello.count)
        let came = try theirs.withUnsafeMutableBytes(socket.read)
        guard came, theirs.starts(with: Self.magic) else {
            throw CachesError.linkRefused(peer: socket.peer, reason: "it does not speak this version of the protocol")
        }
        let theirKey = theirs[Self.magic.count] == 1
        guard theirKey == (key != nil) else {
            throw CachesError.linkRefused(
                peer: socket.peer,
                reason: theirKey ? "it asks for a shared key, and none is given here" : "it has no shared key, and one is given here")
        }
        let theirNonce = Array(theirs[(Self.magic.count + 1)...])
        func derived(_ direction: String) -> SymmetricKey? {
            key.map {
                HKDF<SHA256>.deriveKey(
                    inputKeyMaterial: $0.derived("kvlab handoff"), salt: isSender ? nonce + theirNonce : theirNonce + nonce,
                    info: Array(direction.utf8), outputByteCount: 32)
            }
        }
        sendKey = derived(isSender ? "sender" : "receiver")
        receiveKey = derived(isSender ? "receiver" : "sender")
    }

    func send(_ kind: Kind, _ bytes: UnsafeRawBufferPointer) throws {
        precondition(bytes.count <= Self.longestMessage)
        let header = Self.header(kind, bytes.count, sent)
        sent += 1
        let tag = Self.tag(header, bytes, sendKey)
        try header.withUnsafeBytes(socket.write)
        try socket.write(bytes)
        try tag.withUnsafeBytes(socket.write)
    }

    func send(_ kind: Kind, _ bytes: [UInt8] = []) throws { try bytes.withUnsafeBytes { try send(kind, $0) } }

    func send(_ kind: Kind, _ number: Int) throws {
        try withUnsafeBytes(of: UInt64(number).littleEndian) { try send(kind, $0) }
    }

    /// The next message; its bytes are `body`'s for the time of the call.
    /// - Returns: nil when the other end closed.
    /// - Throws: ``CachesError/linkBroken(peer:reason:)`` or what `body` throws.
    func receive<T>(_ body: (Kind, UnsafeRawBufferPointer) throws -> T) throws -> T? {
        var header = [UInt8](repeating: 0, count: 16)
        guard try header.withUnsafeMutableBytes(socket.read) else { return nil }
        let length = header.withUnsafeBytes { Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self))) }
        guard let kind = Kind(rawValue: header[0]), length <= Self.longestMessage, header == Self.header(kind, length, received)
        else { throw broken("a message of it makes no sense") }
        let tagBytes = receiveKey == nil ? 4 : 32
        if buffer.count < length + tagBytes { buffer = [UInt8](repeating: 0, count: Self.longestMessage + 32) }
        return try buffer.withUnsafeMutableBytes { buffer in
            guard try socket.read(UnsafeMutableRawBufferPointer(rebasing: buffer[..<(length + tagBytes)])) else {
                throw broken("it closed the connection in the middle of a message")
            }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<length])
            guard Self.isTag(buffer[length..<(length + tagBytes)], header, bytes, receiveKey) else {
                throw broken(receiveKey == nil ? "a message was damaged on its way" : "a message is not closed with the shared key")
            }
            received += 1
            return try body(kind, bytes)
        }
    }

    func broken(_ reason: String) -> CachesError { .linkBroken(peer: socket.peer, reason: reason) }

    private static func header(_ kind: Kind, _ length: Int, _ number: UInt64) -> [UInt8] {
        var header: [UInt8] = [kind.rawValue, 0, 0, 0]
        withUnsafeBytes(of: UInt32(length).littleEndian) { header.append(contentsOf: $0) }
        withUnsafeBytes(of: number.littleEndian) { header.append(contentsOf: $0) }
        return header
    }

    private static func tag(_ header: [UInt8], _ bytes: UnsafeRawBufferPointer, _ key: SymmetricKey?) -> [UInt8] {
        guard let key else {
            var sum = kl_crc32c(0, header, header.count)
            if let base = bytes.baseAddress { sum = kl_crc32c(sum, base, bytes.count) }
            return withUnsafeBytes(of: sum.littleEndian) { Array($0) }
        }
        return Array(code(header, bytes, key))
    }

    private static func isTag(
        _ tag: Slice<UnsafeMutableRawBufferPointer>, _ header: [UInt8], _ bytes: UnsafeRawBufferPointer, _ key: SymmetricKey?
    ) -> Bool {
        guard let key else { return tag.elementsEqual(self.tag(header, bytes, nil)) }
        // Compared in constant time.
        return code(header, bytes, key) == Array(tag)
    }

    private static func code(_ header: [UInt8], _ bytes: UnsafeRawBufferPointer, _ key: SymmetricKey) -> HMAC<SHA256>.MAC {
        var code = HMAC<SHA256>(key: key)
        code.update(data: header)
        code.update(data: bytes)
        return code.finalize()
    }
}

/// What a sender offers.
struct CardOffer: Codable {
    /// SHA-256 of all that stands before a card's planes, and of its seal: 64 hexadecimal digits.
    let id: String
    let bytes: Int
}
