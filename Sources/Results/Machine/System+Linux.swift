#if os(Linux)
    import Foundation

    /// From `/proc` and `/sys`, which containers and virtual machines show in part.
    extension System {
        static func cpuModel() -> String? {
            if let name = cpuInfo("model name") { return name }
            // Arm shows numbers; a board's device tree has its name.
            if let board = contents("/proc/device-tree/model") { return board.trimmingCharacters(in: ["\0"]) }
            guard let maker = cpuInfo("CPU implementer"), let part = cpuInfo("CPU part") else { return nil }
            return "Arm implementer \(maker) part \(part)"
        }

        /// The flags that decide which kernels run and how fast, and whether this is a virtual machine.
        static func cpuFlags() -> [String] {
            let all = Set((cpuInfo("flags") ?? cpuInfo("Features") ?? "").split(separator: " ").map(String.init))
            return [
                "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16",
                "avx512_fp16", "amx_int8", "amx_bf16", "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2",
                "hypervisor",
            ].filter(all.contains)
        }

        static func physicalCores() -> Int? {
            let lists = cpus().compactMap { contents("\($0)/topology/thread_siblings_list") }
            return lists.isEmpty ? nil : Set(lists).count
        }

        static func lastLevelCacheBytes() -> Int? {
            let caches = paths("/sys/devices/system/cpu/cpu0/cache", prefix: "index").filter {
                contents("\($0)/type") != "Instruction"
            }
            let last = caches.max { number("\($0)/level") ?? 0 < number("\($1)/level") ?? 0 }
            // "307200K"
            guard let last, let size = contents("\(last)/size"), size.hasSuffix("K"), let kib = Int(size.dropLast())
            else { return nil }
            return kib * 1024
        }

        static func governor() -> String? {
            let all = Set(cpus().compactMap { contents("\($0)/cpufreq/scaling_governor") })
            return all.isEmpty ? nil : all.sorted().joined(separator: " ")
        }

        static func operatingSystem() -> String? {
            contents("/etc/os-release")?.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
                .map { $0.dropFirst("PRETTY_NAME=".count).trimmingCharacters(in: ["\""]) }
        }

        /// The mount with the longest path above `folder`.
        static func disk(of folder: String) -> Disk? {
            guard let real = realpath(folder, nil) else { return nil }
            defer { free(real) }
            let path = String(cString: real)
            var best: (length: Int, disk: Disk)?
            // 27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw      (proc_pid_mountinfo(5))
            for line in contents("/proc/self/mountinfo")?.split(separator: "\n") ?? [] {
                let fields = line.split(separator: " ")
                guard let dash = fields.firstIndex(of: "-"), dash > 4, fields.count > dash + 2 else { continue }
                let mount = String(fields[4]).replacingOccurrences(of: "\\040", with: " ")
                guard path == mount || path.hasPrefix(mount == "/" ? "/" : mount + "/") else { continue }
                if mount.utf8.count >= best?.length ?? 0 {
                    let device = blockDevice(String(fields[dash + 2]), number: String(fields[2]))
                    best = (mount.utf8.count, Disk(device: device, fileSystem: String(fields[dash + 1])))
                }
            }
            return best?.disk
        }

        /// `nvme0n1p2 (model)`. Sources that are no device name a server, and mapped names often the host, so the
        /// kernel's name of the device stands for both.
        private static func blockDevice(_ source: String, number: String) -> String {
            guard source.hasPrefix("/dev/"), let real = realpath(source, nil) else { return "no block device" }
            defer { free(real) }
            let name = String(cString: real).split(separator: "/").last.map(String.init) ?? "unknown"
            let node = "/sys/dev/block/\(number)"
            // A partition is a folder inside its disk's.
            let model = contents("\(node)/device/model") ?? contents("\(node)/../device/model")
            return model.map { "\(name) (\($0))" } ?? name
        }

        /// Hottest of the sensors that sit in a processor.
        static func temperatureCelsius() -> Double? {
            let chips = paths("/sys/class/hwmon", prefix: "hwmon").filter {
                ["coretemp", "k10temp", "zenpower", "cpu_thermal"].contains(contents("\($0)/name"))
            }
            let inputs = chips.flatMap { paths($0, prefix: "temp") }.filter { $0.hasSuffix("_input") }
            let zones = paths("/sys/class/thermal", prefix: "thermal_zone").filter {
                let type = contents("\($0)/type") ?? ""
                return type == "x86_pkg_temp" || type.hasPrefix("cpu")
            }
            return (inputs + zones.map { "\($0)/temp" }).compactMap(number).max().map { Double($0) / 1000 }
        }

        static func clockHertz() -> Double? {
            var clocks = cpus().compactMap { number("\($0)/cpufreq/scaling_cur_freq") }.map { Double($0) * 1e3 }
            if clocks.isEmpty { clocks = cpuInfos("cpu MHz").compactMap(Double.init).map { $0 * 1e6 } }
            return clocks.isEmpty ? nil : clocks.reduce(0, +) / Double(clocks.count)
        }

        // MARK: - Files of the kernel

        private static func cpuInfo(_ key: String) -> String? { cpuInfos(key).first }

        /// All values of `key: value` in `/proc/cpuinfo`.
        private static func cpuInfos(_ key: String) -> [String] {
            (contents("/proc/cpuinfo") ?? "").split(separator: "\n").compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key else { return nil }
                return parts[1].trimmingCharacters(in: .whitespaces)
            }
        }

        private static func cpus() -> [String] {
            paths("/sys/devices/system/cpu", prefix: "cpu").filter { Int($0.split(separator: "/cpu").last!) != nil }
        }

        private static func paths(_ folder: String, prefix: String) -> [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.filter { $0.hasPrefix(prefix) }.sorted().map { "\(folder)/\($0)" }
        }

        /// These files say that they are empty, so they are read to their end.
        private static func contents(_ path: String) -> String? {
            guard let bytes = try? AtomicFile.bytes(at: path) else { return nil }
            return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }

        private static func number(_ path: String) -> Int? { contents(path).flatMap { Int($0) } }
    }
#endif
