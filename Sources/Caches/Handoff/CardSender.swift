import Foundation

/// Sends cards to a ``CardReceiver``.
public struct CardSender: Sendable {
    /// What a sending did.
    public struct Report: Sendable, Equatable {
        public var cardBytes = 0
        /// Bytes that went over the link: fewer than the card's where an earlier sending broke off.
        public var sentBytes = 0
        /// From the offer until the receiver had taken the card.
        public var seconds = 0.0
        /// Bytes per second of the link itself, where it was measured.
        public var linkRate: Double?
    }

    private let address: LinkAddress
    private let key: CacheKey?
    /// Breaks off after so many bytes, as a lost connection does.
    package var brokenAfter = Int.max

    /// - Parameter key: shared with the receiver; nil where neither has one.
    public init(to address: LinkAddress, key: CacheKey?) {
        self.address = address
        self.key = key
    }

    /// Sends a card, or what the receiver has not got of it yet.
    /// - Parameter probeBytes: bytes that mean nothing and are sent first, to measure the link; 0 for none.
    /// - Throws: ``CachesError/noLink(address:reason:)``, ``CachesError/linkBroken(peer:reason:)`` or
    ///   ``CachesError/linkRefused(peer:reason:)``.
    public func send(_ card: SealedCard, probeBytes: Int = 0) throws -> Report {
        let channel = try HandoffChannel(LinkSocket.connect(to: address), key: key, isSender: true)
        var report = Report(cardBytes: card.bytes.count)
        if probeBytes > 0 { report.linkRate = try probe(channel, probeBytes) }
        let clock = ContinuousClock()
        let start = clock.now
        let offer = try JSONEncoder().encode(CardOffer(id: card.id, bytes: card.bytes.count))
        try channel.send(.offer, Array(offer))
        let from = try expect(.accept, channel) { bytes in
            guard bytes.count == 8 else { throw channel.broken("it does not say where to go on") }
            return Int(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) & 0x7fff_ffff_ffff_ffff)
        }
        guard from <= card.bytes.count else { throw channel.broken("it has more of the card than there is") }
        var next = from
        while next < card.bytes.count {
            guard next - from < brokenAfter else { throw channel.broken("the sending was broken off") }
            let end = min(next + HandoffChannel.longestMessage, card.bytes.count)
            try channel.send(.data, UnsafeRawBufferPointer(rebasing: card.bytes[next..<end]))
            next = end
        }
        try channel.send(.end)
        try expect(.done, channel) { _ in }
        report.sentBytes = card.bytes.count - from
        report.seconds = (clock.now - start).seconds
        return report
    }

    /// Bytes per second of plain writes, until the receiver has them all.
    private func probe(_ channel: HandoffChannel, _ count: Int) throws -> Double {
        let bytes = [UInt8](repeating: 0, count: 1 << 20)
        let clock = ContinuousClock()
        let start = clock.now
        try channel.send(.probe, count)
        var rest = count
        while rest > 0 {
            let part = min(rest, bytes.count)
            try bytes.withUnsafeBytes { try channel.socket.write(UnsafeRawBufferPointer(rebasing: $0[..<part])) }
            rest -= part
        }
        try expect(.probe, channel) { _ in }
        return Double(count) / (clock.now - start).seconds
    }

    @discardableResult
    private func expect<T>(_ kind: HandoffChannel.Kind, _ channel: HandoffChannel, _ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
        let answer = try channel.receive { found, bytes in
            if found == .refused {
                throw CachesError.linkRefused(peer: channel.socket.peer, reason: String(decoding: bytes, as: UTF8.self))
            }
            guard found == kind else { throw channel.broken("a message of it is out of turn") }
            return try body(bytes)
        }
        guard let answer else { throw channel.broken("it closed the connection") }
        return answer
    }
}
