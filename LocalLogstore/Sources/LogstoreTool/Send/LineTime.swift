// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0
import Foundation
import LocalLogstore

/// The time of an event as loggers write it.
enum LineTime {
    /// Nanoseconds since 1970; `nil` for what is no time, or one without a zone, which could be off by hours.
    static func nanoseconds(_ value: JSONValue, named name: String) -> Int64? {
        switch value {
        case .number(let digits): return self.number(digits)
        case .string(let text):
            // journald has microseconds, and those as a text.
            if name == "__REALTIME_TIMESTAMP" { return Int64(text).flatMap { self.scaled($0, by: 1000) } }
            return self.date(text)
        // log4j2's JsonLayout.
        case .object(let members):
            guard case .number(let seconds)? = members.first(where: { $0.name == "epochSecond" })?.value,
                let whole = Int64(seconds), let base = self.scaled(whole, by: 1_000_000_000)
            else { return nil }
            guard case .number(let rest)? = members.first(where: { $0.name == "nanoOfSecond" })?.value,
                let fraction = Int64(rest), (0..<1_000_000_000).contains(fraction)
            else { return base }
            return self.inRange(base.addingReportingOverflow(fraction))
        default: return nil
        }
    }

    /// A number of seconds, milliseconds, microseconds or nanoseconds: whichever makes it a time since 1980.
    private static func number(_ digits: String) -> Int64? {
        let parts = digits.split(separator: ".", maxSplits: 1)
        if let whole = Int64(digits) {
            switch whole {
            case 300_000_000..<100_000_000_000: return self.scaled(whole, by: 1_000_000_000)
            case 300_000_000_000..<100_000_000_000_000: return self.scaled(whole, by: 1_000_000)
            case 300_000_000_000_000..<100_000_000_000_000_000: return self.scaled(whole, by: 1000)
            case 300_000_000_000_000_000...: return whole
            default: return nil
            }
        }
        // Without the rounding of a floating point number: zap writes seconds with seven digits behind the point.
        if parts.count == 2, let whole = Int64(parts[0]), (300_000_000..<100_000_000_000).contains(whole),
            let base = self.scaled(whole, by: 1_000_000_000),
            let fraction = Int64(parts[1].prefix(9).padding(toLength: 9, withPad: "0", startingAt: 0))
        {
            return self.inRange(base.addingReportingOverflow(fraction))
        }
        // Milliseconds with a fraction, or an exponent.
        guard let number = Double(digits), number >= 3e8, number < 1e14 else { return nil }
        return Int64(exactly: (number * (number < 1e11 ? 1e9 : 1e6)).rounded())
    }

    private static func scaled(_ number: Int64, by factor: Int64) -> Int64? {
        self.inRange(number.multipliedReportingOverflow(by: factor))
    }

    private static func inRange(_ result: (partialValue: Int64, overflow: Bool)) -> Int64? {
        result.overflow || result.partialValue < 0 ? nil : result.partialValue
    }

    /// A date and a time of ISO 8601 with a zone: `2026-01-02T03:04:05.123456789+08:00`.
    private static func date(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            return bytes[range].reduce(Int?.some(0)) { sum, byte in
                (0x30...0x39).contains(byte) ? sum.map { $0 * 10 + Int(byte - 0x30) } : nil
            }
        }
        guard bytes.count >= 20, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":"), [0x54, 0x74, 0x20].contains(bytes[10]), (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second < 61, (1970..<2262).contains(year)
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if bytes[index] == UInt8(ascii: ".") || bytes[index] == UInt8(ascii: ",") {
            index += 1
            var scale: Int64 = 100_000_000
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) {
                fraction += Int64(bytes[index] - 0x30) * scale
                scale /= 10
                index += 1
            }
        }
        guard let offset = self.offset(bytes[index...]) else { return nil }
        var components = DateComponents()
        (components.year, components.month, components.day) = (year, month, day)
        guard let midnight = self.calendar.date(from: components)?.timeIntervalSince1970 else { return nil }
        let seconds = Int64(midnight) + Int64(hour * 3600 + minute * 60 + second - offset)
        return self.scaled(seconds, by: 1_000_000_000).flatMap { self.inRange($0.addingReportingOverflow(fraction)) }
    }

    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
        return calendar
    }()

    /// `Z`, `+08:00`, `+0800` or `+08`, in seconds.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int? {
        guard let sign = text.first else { return nil }
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return text.count == 1 ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        let digits = text.dropFirst().filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 2 || digits.count == 4, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        let (hours, minutes) = digits.count == 2 ? (value, 0) : (value / 100, value % 100)
        guard hours < 24, minutes < 60 else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
}
