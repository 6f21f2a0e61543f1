import Foundation
import Synchronization

/// How fast all threads together read memory: the ceiling of decoding.
struct MemoryBandwidth {
    var bytesPerSecond: Double
    /// What was read over and over; smaller than the last-level cache only where that exceeds 1 GiB.
    var bufferBytes: Int

    /// Each thread sums its own part of one buffer for half a second; the rates add up.
    ///
    /// The buffer is four last-level caches, at least 256 MiB, at most 1 GiB and a quarter of the memory.
    static func measure(threads: Int, lastLevelCacheBytes: Int?) -> MemoryBandwidth {
        precondition(threads > 0, "Somebody reads")
        let memory = Int(ProcessInfo.processInfo.physicalMemory)
        let wanted = max(256 << 20, 4 * (lastLevelCacheBytes ?? 0))
        let words = min(wanted, 1 << 30, memory / 4) / threads / MemoryLayout<Lane>.size
        let rates = Mutex<[Double]>([])
        let group = DispatchGroup()
        for _ in 0..<threads {
            group.enter()
            Thread.detachNewThread {
                let rate = readRate(words: words)
                rates.withLock { $0.append(rate) }
                group.leave()
            }
        }
        group.wait()
        return MemoryBandwidth(
            bytesPerSecond: rates.withLock { $0.reduce(0, +) }, bufferBytes: words * threads * MemoryLayout<Lane>.size)
    }

    private typealias Lane = SIMD8<UInt64>

    /// Bytes per second of one thread over `words` lanes that it has written itself.
    private static func readRate(words: Int) -> Double {
        let buffer = UnsafeMutableBufferPointer<Lane>.allocate(capacity: words)
        defer { buffer.deallocate() }
        buffer.initialize(repeating: Lane(repeating: 1))
        let clock = ContinuousClock()
        let start = clock.now
        var passes = 0
        var sum: UInt64 = 0
        repeat {
            sum &+= total(UnsafeBufferPointer(buffer))
            passes += 1
        } while clock.now - start < .milliseconds(500)
        let elapsed = clock.now - start
        // Also keeps the reads from being optimised away.
        precondition(sum == UInt64(passes * words * Lane.scalarCount), "Memory was read as it was written")
        return Double(passes * words * MemoryLayout<Lane>.size) / (elapsed / .seconds(1))
    }

    @inline(never)
    private static func total(_ words: UnsafeBufferPointer<Lane>) -> UInt64 {
        var sums = (Lane(), Lane())
        var i = 0
        while i + 1 < words.count {
            sums.0 &+= words[i]
            sums.1 &+= words[i + 1]
            i += 2
        }
        if i < words.count { sums.0 &+= words[i] }
        return (sums.0 &+ sums.1).wrappedSum()
    }
}
