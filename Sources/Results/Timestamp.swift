import Foundation

/// Times as integer nanoseconds since 1970-01-01T00:00:00Z and as ISO 8601 text in UTC.
public enum Timestamp {
    /// The clock of the machine now, in nanoseconds.
    public static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// `2026-11-21T01:02:03.000000004Z`: always nine decimals, so that the texts sort like the times.
    public static func iso8601(_ nanoseconds: Int64) -> String {
        let part = parts(nanoseconds)
        return "\(part.date)T\(part.clock.joined(separator: ":")).\(padded(part.nanoseconds, 9))Z"
    }

    /// `2026-11-21T01-02-03Z`: whole seconds, without a colon, for file names.
    static func fileName(_ nanoseconds: Int64) -> String {
        let part = parts(nanoseconds)
        return "\(part.date)T\(part.clock.joined(separator: "-"))Z"
    }

    private static func parts(_ nanoseconds: Int64) -> (date: String, clock: [String], nanoseconds: Int64) {
        let (seconds, fraction) = floorDivide(nanoseconds, 1_000_000_000)
        let (days, second) = floorDivide(seconds, 86_400)
        // Civil date of a day number, counted in 400-year eras from 0000-03-01:
        // https://howardhinnant.github.io/date_algorithms.html#civil_from_days
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (
            "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))",
            [padded(second / 3600, 2), padded(second / 60 % 60, 2), padded(second % 60, 2)],
            fraction
        )
    }

    private static func floorDivide(_ x: Int64, _ y: Int64) -> (quotient: Int64, remainder: Int64) {
        let (q, r) = x.quotientAndRemainder(dividingBy: y)
        return r < 0 ? (q - 1, r + y) : (q, r)
    }

    private static func padded(_ x: Int64, _ width: Int) -> String {
        let digits = String(x)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
