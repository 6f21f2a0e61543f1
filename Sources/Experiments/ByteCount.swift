/// Sizes as people write them.
public enum ByteCount {
    private static let units: [(name: String, factor: Double)] = [
        ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("B", 1),
    ]

    /// Bytes of a text such as `10.2 GiB`, `10200 MB` or `4096`; nil when it is none.
    public static func parse(_ text: String) -> Int? {
        let text = text.trimmingPrefix { $0 == " " }
        let number = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(number.count).filter { $0 != " " }
        guard let value = Double(number), value > 0 else { return nil }
        if unit.isEmpty { return Int(exactly: value) }
        guard let factor = units.first(where: { $0.name == unit })?.factor, value * factor < 1e18 else { return nil }
        return Int(value * factor)
    }
}
