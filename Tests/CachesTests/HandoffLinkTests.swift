import Caches
import Foundation
import Schemes
import Synchronization
import Tensors
import Testing

/// Cards over sockets: whole, broken off, refused.
@Suite(.serialized) struct HandoffLinkTests {
    private let small: SmallCache
    private let key: CacheKey
    private let card: CacheCard
    private let file: String

    init() throws {
        small = try SmallCache(scheme: "fp16")
        key = try CacheKey([UInt8](repeating: 7, count: 32), source: "test")
        try FileManager.default.createDirectory(atPath: small.folder, withIntermediateDirectories: true)
        let cache = small.cache()
        // About 5 MB: more than one message.
        try small.append(4000, to: cache)
        card = try CacheCard.make(from: cache, identity: small.identity)
        file = small.folder + "/card.safetensors"
        try card.write(to: file)
    }

    /// Serves one connection on a thread of its own while `body` runs, and gives up when none comes.
    private func serving(
        _ receiver: CardReceiver, take: @escaping @Sendable (CardReceiver.Arrival) throws -> Void = { _ in },
        _ body: () throws -> Void
    ) throws -> String? {
        struct Box: @unchecked Sendable { let receiver: CardReceiver }
        let box = Box(receiver: receiver)
        let failure = Mutex<String?>(nil)
        try withoutActuallyEscaping(body) { body in
            let done = DispatchSemaphore(value: 0)
            let thread = FailureBox(failure: { text in failure.withLock { $0 = text } })
            Thread.detachNewThread {
                do { try box.receiver.serve(timeoutSeconds: 10, take) } catch { thread.failure("\(error)") }
                done.signal()
            }
            defer { done.wait() }
            try body()
        }
        return failure.withLock { $0 }
    }

    private struct FailureBox: @unchecked Sendable { let failure: (String) -> Void }

    private func addresses() -> [LinkAddress] {
        let unix = LinkAddress.unix(path: small.folder + "/link")
        return Self.hasLoopback ? [.tcp(host: "127.0.0.1", port: 0), unix] : [unix]
    }

    /// Whether this machine can reach itself over TCP: a sandbox without network cannot.
    private static let hasLoopback: Bool = {
        guard let listener = try? LinkListener(on: .tcp(host: "127.0.0.1", port: 0)) else { return false }
        return (try? LinkSocket.connect(to: listener.address)) != nil
    }()

    @Test func wholeCards() throws {
        for address in addresses() {
            for key in [nil, key] {
                for folder in [nil, small.folder] {
                    let receiver = CardReceiver(try LinkListener(on: address), key: key, folder: folder)
                    let bytes = Array(card.bytes)
                    let same = Mutex(false)
                    let failure = try serving(receiver, take: { arrival in
                        same.withLock { $0 = arrival.card.bytes.elementsEqual(bytes) && arrival.receivedBytes == bytes.count }
                        _ = try arrival.card.open()
                    }) {
                        let report = try CardSender(to: receiver.address, key: key).send(SealedCard(path: file), probeBytes: 1 << 21)
                        #expect(report.cardBytes == bytes.count && report.sentBytes == bytes.count && report.linkRate! > 0)
                    }
                    #expect(failure == nil && same.withLock { $0 })
                    guard folder != nil else { continue }
                    let kept = try FileManager.default.contentsOfDirectory(atPath: small.folder).filter { $0.hasPrefix("card-") }
                    #expect(kept.count == 1 && FileManager.default.contentsEqual(atPath: file, andPath: small.folder + "/" + kept[0]))
                    try FileManager.default.removeItem(atPath: small.folder + "/" + kept[0])
                }
            }
        }
    }

    /// What came before a connection broke does not come again: to the same receiver, or in a folder to another.
    @Test func brokenOff() throws {
        for folder in [nil, small.folder + "/in"] {
            if let folder { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
            var receiver = CardReceiver(try LinkListener(on: addresses()[0]), key: key, folder: folder)
            let sealed = try SealedCard(path: file)
            let failure = try serving(receiver) {
                var sender = CardSender(to: receiver.address, key: key)
                sender.brokenAfter = 2 << 20
                #expect(throws: CachesError.self) { try sender.send(sealed) }
            }
            #expect(failure == nil)
            if folder != nil {
                receiver = CardReceiver(try LinkListener(on: addresses()[0]), key: key, folder: folder)
            }
            let again = try serving(receiver, take: { _ = try $0.card.open() }) {
                let report = try CardSender(to: receiver.address, key: key).send(sealed)
                #expect(report.sentBytes == card.bytes.count - 2 << 20)
            }
            #expect(again == nil)
        }
    }

    @Test func refusals() throws {
        let other = try CacheKey([UInt8](repeating: 8, count: 32), source: "test")
        for (theirs, ours, said) in [
            (nil, key, "it asks for a shared key, and none is given here"),
            (key, nil, "it has no shared key, and one is given here"),
            (other, key, "a message is not closed with the shared key"),
        ] as [(CacheKey?, CacheKey?, String)] {
            let receiver = CardReceiver(try LinkListener(on: .unix(path: small.folder + "/link")), key: ours)
            let failure = try serving(receiver) {
                let error = #expect(throws: CachesError.self) {
                    try CardSender(to: receiver.address, key: theirs).send(SealedCard(path: file))
                }
                if theirs == nil || ours == nil { #expect("\(error!)".contains(said)) }
            }
            #expect(failure != nil && (theirs == nil || ours == nil || failure!.contains(said)))
        }
        // What the receiver says of a card, the sender hears.
        let receiver = CardReceiver(try LinkListener(on: .unix(path: small.folder + "/link")), key: nil, folder: small.folder)
        let key = self.key
        let failure = try serving(receiver, take: { _ = try $0.card.open(trust: .secret(key)) }) {
            let error = #expect(throws: CachesError.self) {
                try CardSender(to: receiver.address, key: nil).send(SealedCard(path: file))
            }
            #expect("\(error!)".contains("it is not closed with a shared key, and one is given"))
        }
        #expect(failure != nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: small.folder).filter { $0.hasPrefix(".partial") || $0.hasPrefix("card-") } == [])
        let small = CardReceiver(try LinkListener(on: .unix(path: self.small.folder + "/link")), key: nil, maximumBytes: 1000)
        _ = try serving(small) {
            let error = #expect(throws: CachesError.self) {
                try CardSender(to: small.address, key: nil).send(SealedCard(path: file))
            }
            #expect("\(error!)".contains("and at most 1000 are taken"))
        }
    }

    /// A listener that goes leaves the socket file of the one that took its place.
    @Test func oneAfterTheOtherAtAPath() throws {
        let address = LinkAddress.unix(path: small.folder + "/link")
        var first: LinkListener? = try LinkListener(on: address)
        let second = try LinkListener(on: address)
        _ = first
        first = nil
        #expect(FileManager.default.fileExists(atPath: small.folder + "/link"))
        let mode = try FileManager.default.attributesOfItem(atPath: small.folder + "/link")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        withExtendedLifetime(second) {}
    }

    @Test func addressesAsText() throws {
        #expect(try LinkAddress("127.0.0.1:70") == .tcp(host: "127.0.0.1", port: 70))
        #expect(try LinkAddress("[::1]:70") == .tcp(host: "::1", port: 70) && "\(LinkAddress("[::1]:70"))" == "[::1]:70")
        #expect(try LinkAddress("unix:/tmp/a:b") == .unix(path: "/tmp/a:b"))
        for text in ["", "host", "host:", ":70", "host:70000", "unix:", "unix:" + String(repeating: "a", count: 200)] {
            #expect(throws: CachesError.badAddress(text: text)) { try LinkAddress(text) }
        }
        #expect(throws: CachesError.self) { try CardSender(to: .unix(path: "/nowhere/at/all"), key: nil).send(SealedCard(path: file)) }
    }
}
