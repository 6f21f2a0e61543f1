import Caches
import Foundation
import Testing

/// A process that saves is killed at random moments: afterwards the old state or the new one is there, whole.
@Suite struct KilledSaverTests {
    /// 25 kills, or what KVLAB_KILL_TRIALS says.
    static let trials = Int(ProcessInfo.processInfo.environment["KVLAB_KILL_TRIALS"] ?? "") ?? 25

    /// The built helper, beside the tests.
    static let program: URL = {
        var folder = Bundle.main.bundleURL
        #if os(macOS)
            folder = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }!.bundleURL
            folder.deleteLastPathComponent()
        #endif
        return folder.appendingPathComponent("CrashingSaver")
    }()

    @Test func oldOrNewStateWhole() throws {
        let small = try SmallCache()
        let path = small.folder
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        var generator = SplitMix(seed: 5)
        var next = 0
        var interrupted = 0
        for trial in 0..<Self.trials {
            let process = Process()
            process.executableURL = Self.program
            process.arguments = [path, "\(next)"]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            // Up to 30 ms after the first save was done.
            var said = output.fileHandleForReading.availableData
            usleep(UInt32.random(in: 0...30_000, using: &generator))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            said += output.fileHandleForReading.readDataToEndOfFile()
            let last = Int(String(decoding: said, as: UTF8.self).split(separator: "\n").last ?? "")
            let reported = try #require(last, "the helper said nothing in trial \(trial)")

            let folder = try CacheFolder(path: path).agent("anna")
            if folder.files.contains(where: { $0.contains("/.partial-") }) { interrupted += 1 }
            let found = try small.state(of: small.load(folder))
            #expect(
                found.isExact && (reported...(reported + 1)).contains(found.number), "trial \(trial): \(found), \(reported)")
            next = found.number + 1
        }
        // Most moments lie within a save.
        #expect(interrupted > Self.trials / 10)
    }
}
