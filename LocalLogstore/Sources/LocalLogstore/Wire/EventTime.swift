// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Reads the time that a log states in its field `time`.
package enum EventTime {
    /// Microseconds since 1970 of an ISO 8601 date with time, or of a number of seconds, milliseconds, microseconds or
    /// nanoseconds; `nil` for anything else.
    static func microseconds(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        if text.count >= 19, text[4] == UInt8(ascii: "-") { return self.date(text) }
        guard (9...19).contains(text.count), let number = self.number(text[...]) else { return nil }
        return switch text.count {
        case 9...11: number * 1_000_000
        case 12...14: number * 1_000
        case 15...17: number
        default: number / 1_000
        }
    }

    private static func date(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard let year = self.number(text[0..<4]), let month = self.number(text[5..<7]), (1...12).contains(month),
            let day = self.number(text[8..<10]), (1...self.daysOfMonth(year, month)).contains(day),
            let hour = self.number(text[11..<13]), let minute = self.number(text[14..<16]),
            let second = self.number(text[17..<19]),
            text[7] == UInt8(ascii: "-"), text[10] == UInt8(ascii: "T") || text[10] == UInt8(ascii: " "),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"), hour < 24, minute < 60, second < 61
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if index < text.count, text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: ",") {
            index += 1
            var scale: Int64 = 100_000
            while index < text.count, let digit = self.digit(text[index]) {
                fraction += digit * scale
                scale /= 10
                index += 1
            }
        }
        guard let offset = self.offset(text[index...]) else { return nil }
        let seconds = self.days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        return seconds * 1_000_000 + fraction
    }

    /// `Z`, nothing, which is taken for it, or `+08:00`; in seconds.
    private static func offset(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        guard let sign = text.first else { return 0 }
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return text.count == 1 ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), text.count >= 5,
            let hours = self.number(text.dropFirst().prefix(2)), let minutes = self.number(text.suffix(2))
        else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    /// 30 February is no day, and not 2 March.
    package static func daysOfMonth(_ year: Int64, _ month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970 of a date of the Gregorian calendar (Howard Hinnant's algorithm).
    package static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func number(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Int64? {
        var value: Int64 = 0
        for byte in text {
            guard let digit = self.digit(byte) else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            let (sum, tooMuch) = scaled.addingReportingOverflow(digit)
            if tooMuch { return nil }
            value = sum
        }
        return value
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int64(byte - UInt8(ascii: "0")) : nil
    }
}
