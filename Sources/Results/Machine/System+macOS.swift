#if os(macOS)
    import Foundation

    /// From `sysctl`. Apple's systems show no governor, temperature or clock to a program without privileges.
    extension System {
        static func cpuModel() -> String? { text("machdep.cpu.brand_string") }

        static func cpuFlags() -> [String] {
            [
                ("hw.optional.avx2_0", "avx2"), ("hw.optional.fma", "fma"), ("hw.optional.f16c", "f16c"),
                ("hw.optional.avx512f", "avx512f"), ("hw.optional.avx512bw", "avx512bw"),
                ("hw.optional.avx512vl", "avx512vl"), ("hw.optional.AdvSIMD", "asimd"),
                ("hw.optional.arm.FEAT_FP16", "asimdhp"), ("hw.optional.arm.FEAT_DotProd", "asimddp"),
                ("hw.optional.arm.FEAT_I8MM", "i8mm"), ("hw.optional.arm.FEAT_BF16", "bf16"),
                ("hw.optional.arm.FEAT_SME", "sme"), ("kern.hv_vmm_present", "hypervisor"),
            ].filter { number($0.0) == 1 }.map(\.1)
        }

        static func physicalCores() -> Int? { number("hw.physicalcpu") }

        /// The third level, or the second of the fast cores, which have no third of their own.
        static func lastLevelCacheBytes() -> Int? {
            ["hw.l3cachesize", "hw.perflevel0.l2cachesize", "hw.l2cachesize"].lazy.compactMap(number)
                .first { $0 > 0 }
        }

        static func governor() -> String? { nil }

        static func operatingSystem() -> String? { text("kern.osproductversion").map { "macOS \($0)" } }

        static func disk(of folder: String) -> Disk? {
            var status = statfs()
            guard statfs(folder, &status) == 0 else { return nil }
            let source = MachineFacts.string(status.f_mntfromname)
            return Disk(
                device: source.hasPrefix("/dev/") ? String(source.dropFirst(5)) : "no block device",
                fileSystem: MachineFacts.string(status.f_fstypename))
        }

        static func temperatureCelsius() -> Double? { nil }

        static func clockHertz() -> Double? { nil }

        private static func text(_ name: String) -> String? {
            var size = 0
            guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return nil }
            var bytes = [UInt8](repeating: 0, count: size)
            guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }

        /// A 32-bit or 64-bit integer; both are little-endian, so four bytes fill the low half.
        private static func number(_ name: String) -> Int? {
            var value: Int64 = 0
            var size = MemoryLayout<Int64>.size
            guard sysctlbyname(name, &value, &size, nil, 0) == 0 else { return nil }
            return Int(value)
        }
    }
#endif
