import Foundation

/// Bounds on this process from now on; the system ends it beyond them.
struct Confinement {
    private let growth: Int
    private let start: Int

    /// Memory may grow by `memoryGrowth` bytes. Linux refuses more, touched or not, and Swift then traps; elsewhere
    /// ``checkPeak()`` sees what was touched.
    init(memoryGrowth: Int) throws {
        growth = memoryGrowth
        start = Self.peakResidentBytes()
        #if os(Linux)
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).prefix { $0 != " " }
            let now = Int(pages)! * Int(sysconf(Int32(_SC_PAGESIZE)))
            var limit = rlimit(rlim_cur: rlim_t(now + memoryGrowth), rlim_max: rlim_t(now + memoryGrowth))
            guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else {
                throw FuzzError.system(call: "setrlimit", code: errno)
            }
        #endif
    }

    /// SIGXCPU comes after so many more seconds on processors.
    func allowProcessorTime(seconds: Int) throws {
        var used = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
        var limit = rlimit()
        #if os(Linux)
            let resource = __rlimit_resource_t(RLIMIT_CPU.rawValue)
        #else
            let resource = RLIMIT_CPU
        #endif
        getrlimit(resource, &limit)
        limit.rlim_cur = rlim_t(used.tv_sec + seconds)
        guard setrlimit(resource, &limit) == 0 else { throw FuzzError.system(call: "setrlimit", code: errno) }
    }

    func checkPeak() throws {
        let grown = Self.peakResidentBytes() - start
        guard grown <= growth else { throw FuzzError.tooMuchMemory(bytes: grown, allowed: growth) }
    }

    private static func peakResidentBytes() -> Int {
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss << 10
        #else
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #endif
    }
}
