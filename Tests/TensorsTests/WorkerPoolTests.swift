import Synchronization
import Tensors
import Testing

@Suite struct WorkerPoolTests {
    @Test(arguments: [1, 2, 3, 8])
    func everyIndexRunsOnce(threads: Int) {
        let pool = WorkerPool(threads: threads)
        for count in [0, 1, 2, 7, 1000] {
            let counts = (0..<count).map { _ in Counter() }
            let workers = Mutex<Set<Int>>([])
            pool.run(count) { index, worker in
                counts[index].value.add(1, ordering: .relaxed)
                workers.withLock { _ = $0.insert(worker) }
            }
            #expect(counts.allSatisfy { $0.value.load(ordering: .relaxed) == 1 })
            #expect(workers.withLock { $0.allSatisfy { (0..<threads).contains($0) } })
        }
    }

    /// Regions right after another, and after workers went to sleep, lose nothing.
    @Test func manyRegions() async throws {
        let pool = WorkerPool(threads: 4)
        let total = Counter()
        for round in 0..<3000 {
            pool.run(5) { index, _ in total.value.add(index, ordering: .relaxed) }
            if round % 500 == 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(total.value.load(ordering: .relaxed) == 3000 * 10)
    }

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }
}
