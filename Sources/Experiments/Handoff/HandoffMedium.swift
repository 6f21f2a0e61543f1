import Caches
import Foundation
import Tensors

/// How a card goes from one agent to another.
enum HandoffMedium: String, CaseIterable {
    /// It stays where it was made.
    case memory
    /// Through a file, flushed to disk.
    case file
    /// From another process, which has its bytes in memory before the time starts.
    case unix, tcp

    struct Arrival {
        let card: SealedCard
        /// Of the stages `write`, `read` and `transfer`, as far as there were any.
        let seconds: [String: Double]
        /// State of the file's pages before they were read.
        var pageCache = "none"
    }

    /// - Parameter folder: where a file goes, which is removed at once.
    /// - Throws: ``ExperimentsError/senderFailed(program:reason:)``, a `CachesError` or a `TensorsError`.
    func carry(_ card: CacheCard, folder: String, workers: WorkerPool) throws -> Arrival {
        let path = "\(folder)/card.safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var watch = StageWatch()
        switch self {
        case .memory:
            let sealed = try SealedCard(card)
            return Arrival(card: sealed, seconds: ["read": watch.lap()])
        case .file:
            try card.write(to: path)
            let write = watch.lap()
            let pages = PageCacheControl.state(of: [path])
            watch = StageWatch()
            let sealed = try SealedCard(path: path)
            sealed.read(workers: workers)
            return Arrival(card: sealed, seconds: ["write": write, "read": watch.lap()], pageCache: pages)
        case .unix, .tcp:
            try card.write(to: path)
            let socket = FileManager.default.temporaryDirectory.path + "/kvlab-\(getpid()).link"
            let arrival = try HandoffSender.receive(
                path, at: self == .unix ? .unix(path: socket) : .tcp(host: "127.0.0.1", port: 0))
            return Arrival(card: arrival.card, seconds: ["transfer": arrival.seconds])
        }
    }
}

/// Times one stage after another.
struct StageWatch {
    private let clock = ContinuousClock()
    private var mark: ContinuousClock.Instant

    init() { mark = clock.now }

    /// Seconds since the last lap, or since the start.
    mutating func lap() -> Double {
        let now = clock.now
        defer { mark = now }
        return (now - mark).seconds
    }
}
