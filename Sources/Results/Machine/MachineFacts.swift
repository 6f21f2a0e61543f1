import CHDF5
import Foundation

/// What a run was measured on: the attributes of the group `machine`. What the system does not show is "unknown" for
/// a text and NaN for a number. Names of hosts and users are never recorded.
public enum MachineFacts {
    /// Collects the facts, in a fixed order; a unit ends the name of each number that has one.
    /// - Parameters:
    ///   - isa: the instruction set that the kernels use, as they name it themselves.
    ///   - threads: threads of the run; memory is read with as many.
    ///   - folder: where the results go, whose disk and file system are described; as long as it is not there, the
    ///     nearest folder above it stands for it.
    ///   - measure: also measure memory (0.5 s) and disk (at most about 3 s); else those figures are NaN.
    public static func collect(isa: String, threads: Int, folder: String, measure: Bool) -> [Attribute] {
        let folder = nearestFolder(to: folder)
        let disk = System.disk(of: folder)
        var facts: [Attribute] = [
            Attribute("cpu_model", text(System.cpuModel())),
            Attribute("cpu_architecture", .string(architecture)),
            Attribute("cpu_flags", text(System.cpuFlags().joined(separator: " "))),
            Attribute("cores_logical", .int(Int64(ProcessInfo.processInfo.processorCount))),
            Attribute("cores_physical", count(System.physicalCores())),
            Attribute("cores_usable", .int(Int64(ProcessInfo.processInfo.activeProcessorCount))),
            Attribute("last_level_cache_bytes", count(System.lastLevelCacheBytes())),
            Attribute("governor", text(System.governor())),
            Attribute("memory_bytes", .int(Int64(ProcessInfo.processInfo.physicalMemory))),
            Attribute("kernel", text(kernel())),
            Attribute("operating_system", text(System.operatingSystem())),
            Attribute("disk_device", text(disk?.device)),
            Attribute("file_system", text(disk?.fileSystem)),
            Attribute("swift_version", .string(swiftVersion)),
            Attribute("c_compiler", .string(String(cString: kvh5_compiler()))),
            Attribute("hdf5_version", .string(HDF5.version)),
            Attribute("isa", .string(isa)),
            Attribute("threads", .int(Int64(threads))),
            Attribute("temperature_celsius", .double(temperatureCelsius())),
            Attribute("clock_hertz", .double(clockHertz())),
        ]
        facts += measure ? measured(threads: threads, folder: folder) : notMeasured
        return facts
    }

    /// The temperature of the processor now, its hottest sensor; NaN where the system does not show one.
    public static func temperatureCelsius() -> Double { System.temperatureCelsius() ?? .nan }

    /// The clock of the processor now, the mean over its cores; NaN where the system does not show it.
    public static func clockHertz() -> Double { System.clockHertz() ?? .nan }

    private static func measured(threads: Int, folder: String) -> [Attribute] {
        let memory = MemoryBandwidth.measure(threads: threads, lastLevelCacheBytes: System.lastLevelCacheBytes())
        var facts = [
            Attribute("memory_read_bytes_per_second", .double(memory.bytesPerSecond)),
            Attribute("memory_read_buffer_bytes", .int(Int64(memory.bufferBytes))),
        ]
        do {
            let disk = try DiskRate.measure(in: folder)
            facts += [
                Attribute("disk_write_bytes_per_second", .double(disk.writeBytesPerSecond)),
                Attribute("disk_read_bytes_per_second", .double(disk.readBytesPerSecond)),
                Attribute("disk_test_bytes", .int(Int64(disk.bytes))),
                Attribute("disk_read_cache", .string(disk.readCache.rawValue)),
            ]
        } catch {
            facts += notMeasured.suffix(4).dropLast()
            facts.append(Attribute("disk_read_cache", .string("not measured: \(error)")))
        }
        return facts
    }

    private static func nearestFolder(to path: String) -> String {
        if RunDirectory.isFolder(path) { return path }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : nearestFolder(to: String(path[..<slash]))
    }

    private static let notMeasured = [
        Attribute("memory_read_bytes_per_second", .missing), Attribute("memory_read_buffer_bytes", .int(0)),
        Attribute("disk_write_bytes_per_second", .missing), Attribute("disk_read_bytes_per_second", .missing),
        Attribute("disk_test_bytes", .int(0)), Attribute("disk_read_cache", .string("not measured")),
    ]

    private static func text(_ text: String?) -> Value {
        guard let text, !text.isEmpty else { return .string("unknown") }
        return .string(text)
    }

    private static func count(_ count: Int?) -> Value { count.map { .int(Int64($0)) } ?? .missing }

    private static var architecture: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }

    /// The compiler that built this file, as closely as conditional compilation can tell.
    private static var swiftVersion: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3.1)
            "6.3.1 or a later 6.3"
        #elseif compiler(>=6.3)
            "6.3.0"
        #else
            "6.2"
        #endif
    }

    /// Name and release, without the node name.
    private static func kernel() -> String? {
        var names = utsname()
        guard uname(&names) == 0 else { return nil }
        return "\(string(names.sysname)) \(string(names.release))"
    }

    /// The text in a fixed C array.
    static func string<Characters>(_ characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// How one operating system shows its facts; `System+Linux.swift` and `System+macOS.swift` say it.
enum System {
    /// A block device, or what stands for it, and the file system on it.
    struct Disk {
        var device: String
        var fileSystem: String
    }
}
