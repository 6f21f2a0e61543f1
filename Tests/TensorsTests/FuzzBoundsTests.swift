import Foundation
import Fuzzing
import Testing

/// `Fuzz` ends the process of a reader that does what none may.
@Suite struct FuzzBoundsTests {
    static let whole: [UInt8] = [1, 2, 3]

    /// Runs a reader that refuses some files, and reads others with `read`.
    static func run(secondsPerBatch: Int = 30, _ read: () throws -> Void) {
        var fuzz = Fuzz("bounds", samples: [whole], seconds: 0.1)
        fuzz.secondsPerBatch = secondsPerBatch
        fuzz.run(isRefusal: { $0 is CancellationError }) { bytes in
            if bytes.isEmpty { throw CancellationError() }
            if bytes != whole { try read() }
        }
    }

    @Test func nothingWrong() async {
        await #expect(processExitsWith: .success) { FuzzBoundsTests.run {} }
    }

    @Test func tooMuchMemory() async {
        await #expect(processExitsWith: .failure) {
            FuzzBoundsTests.run {
                let bytes = [UInt8](repeating: UInt8.random(in: 0...255), count: 65 << 20)
                print(bytes[bytes.indices.randomElement()!])
            }
        }
    }

    @Test func tooMuchTime() async {
        await #expect(processExitsWith: .failure) {
            FuzzBoundsTests.run(secondsPerBatch: 1) { while getpid() > 0 {} }
        }
    }

    @Test func anErrorOfAnotherKind() async {
        await #expect(processExitsWith: .exitCode(1)) {
            FuzzBoundsTests.run { throw CocoaError(.fileReadUnknown) }
        }
    }
}
