import Foundation
import Tensors

/// Takes cards from ``CardSender``s, one connection at a time.
///
/// What came of a card is kept when a connection breaks, in memory or as a file, and the next connection that offers the
/// same card goes on there.
public final class CardReceiver {
    /// A card that is here, whole, and not checked yet.
    public struct Arrival {
        public let card: SealedCard
        /// Bytes that came over this connection.
        public let receivedBytes: Int
        /// From the offer until all bytes were here and the header read.
        public let seconds: Double
        /// The file it is in, where it is in one.
        public let path: String?
    }

    public let address: LinkAddress
    private let listener: LinkListener
    private let key: CacheKey?
    private let folder: String?
    private let maximumBytes: Int
    /// The card that is on its way, or was when its connection broke.
    private var pending: PendingCard?

    /// - Parameters:
    ///   - key: shared with senders; nil where nobody has one.
    ///   - folder: where to put cards; memory where nil.
    ///   - maximumBytes: no larger card is taken.
    public init(_ listener: LinkListener, key: CacheKey?, folder: String? = nil, maximumBytes: Int = 64 << 30) {
        self.listener = listener
        self.key = key
        self.folder = folder
        self.maximumBytes = maximumBytes
        address = listener.address
    }

    /// Waits for a connection and serves it until the other end closes it.
    /// - Parameters:
    ///   - timeoutSeconds: how long to wait for a connection; for ever where nil.
    ///   - take: gets each card as it has come. What it throws is told to the sender, and the card is not kept.
    /// - Throws: ``CachesError/noLink(address:reason:)``, ``CachesError/linkBroken(peer:reason:)``,
    ///   ``CachesError/linkRefused(peer:reason:)``, or what `take` throws.
    public func serve(timeoutSeconds: Int? = nil, _ take: (Arrival) throws -> Void) throws {
        let channel = try HandoffChannel(listener.accept(timeoutSeconds: timeoutSeconds), key: key, isSender: false)
        do {
            while try serveMessage(channel, take) {}
        } catch {
            // The sender learns why, if it still listens.
            try? channel.send(.refused, Array("\(error)".utf8.prefix(HandoffChannel.longestMessage)))
            throw error
        }
    }

    private var clock = ContinuousClock()
    private var start = ContinuousClock().now
    private var resumedFrom = 0

    private func serveMessage(_ channel: HandoffChannel, _ take: (Arrival) throws -> Void) throws -> Bool {
        let goesOn: Bool? = try channel.receive { kind, bytes in
            switch kind {
            case .offer:
                start = clock.now
                resumedFrom = try begin(bytes, channel)
                try channel.send(.accept, resumedFrom)
            case .data:
                guard let pending, pending.count + bytes.count <= pending.offer.bytes else {
                    throw channel.broken("it sends more than it offered")
                }
                try pending.put(bytes)
            case .end:
                guard let pending, pending.count == pending.offer.bytes else { throw channel.broken("it did not send all") }
                try finish(pending, take)
                try channel.send(.done)
            case .probe:
                guard bytes.count == 8 else { throw channel.broken("a message of it makes no sense") }
                try discard(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)), channel)
                try channel.send(.probe)
            case .accept, .done, .refused: throw channel.broken("a message of it is out of turn")
            }
            return true
        }
        return goesOn ?? false
    }

    private func begin(_ bytes: UnsafeRawBufferPointer, _ channel: HandoffChannel) throws -> Int {
        guard let offer = try? JSONDecoder().decode(CardOffer.self, from: Data(bytes)), offer.bytes > 0,
            offer.id.utf8.count == 64, offer.id.allSatisfy({ $0.isASCII && $0.isHexDigit })
        else { throw channel.broken("its offer makes no sense") }
        guard offer.bytes <= maximumBytes else {
            throw CachesError.linkRefused(
                peer: channel.socket.peer, reason: "its card has \(offer.bytes) bytes, and at most \(maximumBytes) are taken")
        }
        if let pending, pending.offer.id == offer.id, pending.offer.bytes == offer.bytes { return pending.count }
        let new = try PendingCard(offer, folder: folder)
        pending = new
        return new.count
    }

    private func finish(_ pending: PendingCard, _ take: (Arrival) throws -> Void) throws {
        self.pending = nil
        do {
            let card = try pending.card()
            let seconds = (clock.now - start).seconds
            guard card.id == pending.offer.id else {
                throw CachesError.damaged(file: card.name, what: "it is another card than the one offered")
            }
            try take(Arrival(
                card: card, receivedBytes: pending.offer.bytes - resumedFrom, seconds: seconds, path: pending.finalPath))
            try pending.keep()
        } catch {
            pending.remove()
            throw error
        }
    }

    private func discard(_ count: UInt64, _ channel: HandoffChannel) throws {
        guard count <= 1 << 32 else { throw channel.broken("it probes with more than 4 GiB") }
        var rest = Int(count)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while rest > 0 {
            let part = min(rest, buffer.count)
            guard try channel.socket.read(UnsafeMutableRawBufferPointer(rebasing: buffer[..<part])) else {
                throw channel.broken("it closed the connection")
            }
            rest -= part
        }
    }
}

/// The bytes of a card that came so far.
private final class PendingCard {
    let offer: CardOffer
    private(set) var count = 0
    private let memory: AlignedBuffer?
    private let descriptor: Int32
    private let partialPath: String
    /// Where it goes when it is whole; nil in memory.
    let finalPath: String?

    init(_ offer: CardOffer, folder: String?) throws {
        self.offer = offer
        guard let folder else {
            memory = try AlignedBuffer(byteCount: offer.bytes)
            (descriptor, partialPath, finalPath) = (-1, "", nil)
            return
        }
        memory = nil
        let id = offer.id.lowercased()
        partialPath = "\(folder)/.partial-\(id)"
        finalPath = "\(folder)/card-\(id.prefix(16)).safetensors"
        descriptor = open(partialPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw TensorsError.cannotWrite(file: partialPath, reason: String(cString: strerror(errno))) }
        // What a process before this one received.
        let held = Int(lseek(descriptor, 0, SEEK_END))
        count = (0...offer.bytes).contains(held) ? held : 0
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func put(_ bytes: UnsafeRawBufferPointer) throws {
        if let memory {
            if let base = bytes.baseAddress { (memory.pointer + count).copyMemory(from: base, byteCount: bytes.count) }
            count += bytes.count
            return
        }
        var rest = bytes
        while !rest.isEmpty {
            let written = pwrite(descriptor, rest.baseAddress!, rest.count, off_t(count))
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw TensorsError.cannotWrite(file: partialPath, reason: String(cString: strerror(errno))) }
            count += written
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    func card() throws -> SealedCard {
        guard let memory else { return try SealedCard(path: partialPath) }
        return try SealedCard(memory: memory, count: offer.bytes, name: "the card that was received")
    }

    /// Gives the file its name.
    func keep() throws {
        guard let finalPath else { return }
        guard fsync(descriptor) == 0, rename(partialPath, finalPath) == 0 else {
            throw TensorsError.cannotWrite(file: finalPath, reason: String(cString: strerror(errno)))
        }
    }

    func remove() { if finalPath != nil { unlink(partialPath) } }
}
