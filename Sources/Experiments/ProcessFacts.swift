import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// What the system says of this process.
package enum ProcessFacts {
    /// The most memory that was ever resident, in bytes.
    package static func peakResidentBytes() -> Int {
        #if os(Linux)
            // What getrusage says begins with the memory of the process that started this one.
            if let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
                let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
                let kibibytes = Int(line.filter(\.isNumber))
            {
                return kibibytes * 1024
            }
            return 0
        #else
            var usage = rusage()
            getrusage(RUSAGE_SELF, &usage)
            return Int(usage.ru_maxrss)
        #endif
    }

    /// Memory that is resident now, in bytes; nil where the system does not say.
    static func residentBytes() -> Int? {
        #if os(Linux)
            guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
                let pages = Int(text.split(separator: " ").dropFirst().first ?? "")
            else { return nil }
            return pages * sysconf(Int32(_SC_PAGESIZE))
        #else
            var info = mach_task_basic_info()
            var count = mach_msg_type_number_t(MemoryLayout<mach_task_basic_info>.size / MemoryLayout<natural_t>.size)
            let result = withUnsafeMutablePointer(to: &info) {
                $0.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                    task_info(mach_task_self_, task_flavor_t(MACH_TASK_BASIC_INFO), $0, &count)
                }
            }
            return result == KERN_SUCCESS ? Int(info.resident_size) : nil
        #endif
    }

    /// Bytes that were read from disks on behalf of this process so far; nil where the system does not say.
    static func bytesRead() -> Int? {
        #if os(Linux)
            guard let text = try? String(contentsOfFile: "/proc/self/io", encoding: .utf8) else { return nil }
            for line in text.split(separator: "\n") where line.hasPrefix("read_bytes:") {
                return Int(line.dropFirst("read_bytes:".count).filter { $0 != " " })
            }
        #endif
        return nil
    }

    /// Bytes free for this user in the file system of `folder`.
    static func freeBytes(in folder: String) -> Int? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}

extension Laboratory {
    /// - Throws: ``ExperimentsError/noDiskSpace(folder:needed:free:)``.
    package func requireDiskSpace(_ needed: Int) throws {
        guard let free = ProcessFacts.freeBytes(in: cacheFolder), free < needed else { return }
        throw ExperimentsError.noDiskSpace(
            folder: (cacheFolder as NSString).deletingLastPathComponent, needed: needed, free: free)
    }
}
