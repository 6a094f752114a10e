// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Reads `Retry-After` headers: seconds, or a date as HTTP writes it (RFC 9110, section 10.2.3).
enum RetryAfter {
    /// The time to wait from `wallTime` on; `nil` if the text is neither form.
    static func parse(_ text: String, wallTime: Int64) -> Duration? {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // A number that has no room in 64 bits is a long time, too.
            return .seconds(min(Int64(text) ?? .max, 1 << 31))
        }
        guard let time = self.date(text) else { return nil }
        let rest = time - wallTime / 1_000_000_000
        return .seconds(max(rest, 0))
    }

    /// The seconds since 1970 of a date such as `Sun, 06 Nov 2044 08:49:37 GMT`; `nil` for one that is not believed.
    ///
    /// Believed are the years 2020 to 2100: no service was there before, and a log's time has 32 bits. A proxy with a dead
    /// battery says 1970, and a broken one anything.
    static func date(_ text: String) -> Int64? {
        // The only form that a sender may generate (RFC 9110, section 5.6.7).
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT",
            let day = Int(parts[1]), (1...31).contains(day),
            let month = Self.months.firstIndex(of: String(parts[2])),
            let year = Int(parts[3]), (2020...2100).contains(year)
        else { return nil }
        let time = parts[4].split(separator: ":").map { Int($0) }
        guard time.count == 3, let hour = time[0], let minute = time[1], let second = time[2],
            (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        let days = TimestampFormatter.day(year: year, month: month + 1, day: day)
        return Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
