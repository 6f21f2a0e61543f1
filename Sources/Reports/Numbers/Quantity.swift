import Foundation

/// What the numbers of a column are, and so in which units they may be shown. Numbers are held in the base unit.
public enum Quantity: Sendable, Equatable {
    case text
    /// Whole things: agents, tokens, samples.
    case count
    /// A plain number, such as a perplexity.
    case plain
    case seconds
    case bytes
    case bytesPerSecond
    /// A ratio, shown with "×" in the header.
    case factor
    /// A ratio, shown in percent.
    case share

    /// A unit to show a quantity in: shown = base × `scale`.
    struct Unit: Equatable {
        var name: String
        var scale: Double
    }

    /// Units from the smallest to the largest; the first is taken when there is nothing to show.
    var units: [Unit] {
        switch self {
        case .text, .count, .plain: [Unit(name: "", scale: 1)]
        case .seconds:
            [Unit(name: "µs", scale: 1e6), Unit(name: "ms", scale: 1e3), Unit(name: "s", scale: 1)]
        case .bytes:
            [
                Unit(name: "B", scale: 1), Unit(name: "KiB", scale: 0x1p-10), Unit(name: "MiB", scale: 0x1p-20),
                Unit(name: "GiB", scale: 0x1p-30),
            ]
        case .bytesPerSecond: [Unit(name: "MB/s", scale: 1e-6), Unit(name: "GB/s", scale: 1e-9)]
        case .factor: [Unit(name: "×", scale: 1)]
        case .share: [Unit(name: "%", scale: 100)]
        }
    }

    /// The largest unit in which the smallest of `values` other than zero is still at least 0.1, or 1 for bytes, so
    /// that no number of a column starts with "0.0".
    func unit(for values: [Double]) -> Unit {
        let magnitudes = values.map(abs).filter { $0.isFinite && $0 > 0 }
        guard let smallest = magnitudes.min() else { return units[0] }
        return units.last { smallest * $0.scale >= (self == .bytes ? 1 : 0.1) } ?? units[0]
    }
}

/// Numbers as text, three significant digits unless they have more before the point.
enum NumberText {
    /// Digits after the point that leave `significant` digits: 12.34 has 1, 0.01234 has 4, 1234 has 0.
    static func decimals(_ value: Double, significant: Int = 3) -> Int {
        guard value != 0, value.isFinite else { return 0 }
        let magnitude = Int(log10(abs(value)).rounded(.down))
        let places = max(0, significant - 1 - magnitude)
        // 9.996 rounds to 10.00, which has a digit too many.
        let rounded = (abs(value) * pow(10, Double(places))).rounded() / pow(10, Double(places))
        return rounded >= pow(10, Double(magnitude + 1)) ? max(0, places - 1) : places
    }

    /// `value` with `decimals` digits after the point and commas between thousands from 10,000 on.
    static func fixed(_ value: Double, decimals: Int) -> String {
        let plain = String(format: "%.*f", decimals, value)
        let parts = plain.split(separator: ".", omittingEmptySubsequences: false)
        let negative = parts[0].hasPrefix("-")
        let digits = Array(negative ? parts[0].dropFirst() : parts[0])
        var grouped = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, digits.count > 4, (digits.count - index) % 3 == 0 { grouped += "," }
            grouped.append(digit)
        }
        return (negative ? "-" : "") + grouped + (parts.count > 1 ? "." + parts[1] : "")
    }

    /// With an exponent where zeros would fill a line, as those of p values.
    static func short(_ value: Double) -> String {
        value != 0 && abs(value) < 1e-9 ? String(format: "%.1e", value) : fixed(value, decimals: decimals(value))
    }

    /// A constant as it was written: 0.5, 2.
    static func exact(_ value: Double) -> String { ReportTable.number(value) }

    /// "12.3 [12.0, 12.9]": the ends of the interval with the decimals of the value; one sample has no interval.
    static func interval(_ estimate: Estimate, scale: Double) -> String {
        let places = decimals(estimate.value * scale)
        guard estimate.sampleCount > 1 else { return fixed(estimate.value * scale, decimals: places) }
        let texts = [estimate.value, estimate.low, estimate.high].map { fixed($0 * scale, decimals: places) }
        return "\(texts[0]) [\(texts[1]), \(texts[2])]"
    }

    /// "1K", "32K" for multiples of 1024, else the number itself.
    static func context(_ tokens: Int) -> String {
        tokens >= 1024 && tokens % 1024 == 0 ? "\(tokens / 1024)K" : fixed(Double(tokens), decimals: 0)
    }
}
