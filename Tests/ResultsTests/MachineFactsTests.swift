import Foundation
import Results
import Testing

@Suite struct MachineFactsTests {
    private func facts(measure: Bool, in folder: String) -> [String: Value] {
        let facts = MachineFacts.collect(isa: "avx2", threads: 2, folder: folder, measure: measure)
        return Dictionary(uniqueKeysWithValues: facts.map { ($0.name, $0.value) })
    }

    private func number(_ value: Value?) -> Double? {
        guard case .double(let x)? = value else { return nil }
        return x
    }

    @Test func thisMachineIsDescribed() throws {
        let facts = facts(measure: false, in: "/tmp")
        #expect(facts["isa"] == .string("avx2"))
        #expect(facts["threads"] == .int(2))
        #expect(facts["memory_bytes"] == .int(Int64(ProcessInfo.processInfo.physicalMemory)))
        // System and release, hence no host name; likewise no server of a network file system.
        let kernel = try Tools.run("uname -sr").output.trimmingCharacters(in: .newlines)
        #expect(facts["kernel"] == .string(kernel))
        guard case .string(let device)? = facts["disk_device"] else {
            Issue.record("disk_device is \(facts["disk_device"] as Any)")
            return
        }
        #expect(!device.contains(":") && !device.hasPrefix("//"))
        // Every text says something, if only "unknown".
        #expect(facts.values.allSatisfy { $0 != .string("") })
        // Not measured is not zero.
        #expect(number(facts["memory_read_bytes_per_second"])?.isNaN == true)
        #expect(facts["disk_read_cache"] == .string("not measured"))
    }

    @Test func thisMachineIsMeasured() throws {
        try Samples.inFolder { folder in
            let facts = facts(measure: true, in: folder)
            for name in ["memory_read", "disk_write", "disk_read"] {
                let rate = try #require(number(facts["\(name)_bytes_per_second"]))
                #expect((1e5...1e13).contains(rate), "\(name)")
            }
            guard case .int(let buffer)? = facts["memory_read_buffer_bytes"] else {
                Issue.record("no memory_read_buffer_bytes")
                return
            }
            #expect((1...1 << 30).contains(buffer))
            #expect(["dropped", "bypassed", "resident"].map { .string($0) }.contains(facts["disk_read_cache"]))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    /// A file system in memory has no cache to drop, and the record says so.
    @Test(.enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm"), "a Linux folder in memory"))
    func memoryIsNotTakenForADisk() {
        let facts = facts(measure: true, in: "/dev/shm")
        #expect(facts["file_system"] == .string("tmpfs"))
        #expect(facts["disk_device"] == .string("no block device"))
        guard case .string(let cache)? = facts["disk_read_cache"] else {
            Issue.record("no disk_read_cache")
            return
        }
        // Containers often give it 64 MiB only.
        #expect(cache == "resident" || cache.hasSuffix("No space left on device; what was there before is unchanged."))
    }

    @Test func aDiskThatCannotBeMeasuredSaysWhy() {
        // Folders in which even root makes no file.
        let folder = FileManager.default.fileExists(atPath: "/proc/self") ? "/proc" : "/System"
        let facts = facts(measure: true, in: "\(folder)/none/at/all")
        guard case .string(let cache)? = facts["disk_read_cache"] else {
            Issue.record("no disk_read_cache")
            return
        }
        #expect(cache.hasPrefix("not measured: Cannot write '\(folder)/.disk-rate."))
        #expect(number(facts["disk_read_bytes_per_second"])?.isNaN == true)
    }

    @Test(.enabled(if: Tools.find("git"), "needs git"))
    func gitSaysCommitAndChanges() throws {
        try Samples.inFolder { folder in
            #expect(GitState.read(at: folder) == .unknown)
            #expect(GitState.read(at: "\(folder)/none") == .unknown)
            let made = try Tools.run(
                "cd '\(folder)' && git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m a"
                    + " && git rev-parse HEAD")
            let commit = made.output.trimmingCharacters(in: .newlines)
            #expect(GitState.read(at: folder) == GitState(commit: commit, dirty: false))
            try Data("x".utf8).write(to: URL(filePath: "\(folder)/new"))
            #expect(GitState.read(at: folder) == GitState(commit: commit, dirty: true))
        }
    }
}
