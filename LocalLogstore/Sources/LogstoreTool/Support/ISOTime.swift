// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstore

/// Reads a date and a time of ISO 8601 with a zone: `2026-01-02T03:04:05.123456789+08:00`.
///
/// Foundation takes 30 February for 2 March; here a day that does not exist is an error.
enum ISOTime {
    /// Why a text is no time.
    enum Fault: Error, Equatable, CustomStringConvertible {
        case form
        case year
        case noSuchDay(String)
        case noSuchTime(String)
        /// It could be off by hours.
        case noZone

        var description: String {
            switch self {
            case .form: "write a time as 2026-11-23T08:15:30Z"
            case .year: "the year has to be from 1970 to 2261"
            case .noSuchDay(let day): "there is no day \(day)"
            case .noSuchTime(let time): "there is no time \(time)"
            case .noZone: "the zone is missing: put Z, or one as +08:00, behind the time"
            }
        }
    }

    /// Nanoseconds since 1970, for the years 1970 to 2261.
    static func nanoseconds(_ text: String) throws(Fault) -> Int64 {
        let bytes = Array(text.utf8)
        let midnight = try self.midnight(bytes)
        guard bytes.count >= 19, let hour = self.number(bytes[11..<13]), let minute = self.number(bytes[14..<16]),
            let second = self.number(bytes[17..<19]), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(bytes[10])
        else { throw .form }
        // Of a leap second, too.
        guard hour < 24, minute < 60, second < 61 else { throw .noSuchTime(Self.text(bytes[11..<19])) }
        var index = 19
        var fraction: Int64 = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") || bytes[index] == UInt8(ascii: ",") {
            index += 1
            var scale: Int64 = 100_000_000
            while index < bytes.count, let digit = self.number(bytes[index...index]) {
                fraction += digit * scale
                scale /= 10
                index += 1
            }
        }
        if index == bytes.count { throw .noZone }
        guard let offset = self.offset(bytes[index...]) else { throw .form }
        return self.nanoseconds(seconds: midnight + hour * 3600 + minute * 60 + second - offset, fraction)
    }

    /// Where a day begins in UTC, in nanoseconds since 1970: of `2026-01-02`.
    static func beginning(ofDay text: String) throws(Fault) -> Int64 {
        let bytes = Array(text.utf8)
        guard bytes.count == 10 else { throw .form }
        return self.nanoseconds(seconds: try self.midnight(bytes), 0)
    }

    /// A zone ahead of Greenwich puts the first day before 1970, where nothing is.
    private static func nanoseconds(seconds: Int64, _ fraction: Int64) -> Int64 {
        max(0, seconds * 1_000_000_000 + fraction)
    }

    /// The seconds until the day that `bytes` begin with.
    private static func midnight(_ bytes: [UInt8]) throws(Fault) -> Int64 {
        guard bytes.count >= 10, let year = self.number(bytes[0..<4]), let month = self.number(bytes[5..<7]),
            let day = self.number(bytes[8..<10]), bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-")
        else { throw .form }
        guard (1970..<2262).contains(year) else { throw .year }
        guard (1...12).contains(month), (1...EventTime.daysOfMonth(year, month)).contains(day) else {
            throw .noSuchDay(self.text(bytes[0..<10]))
        }
        return EventTime.days(year, month, day) * 86_400
    }

    /// `Z`, `+08:00`, `+0800` or `+08`, in seconds.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int64? {
        guard let sign = text.first else { return nil }
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return text.count == 1 ? 0 : nil }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
        let digits = text.dropFirst().filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 2 || digits.count == 4, let value = self.number(digits[...]) else { return nil }
        let (hours, minutes) = digits.count == 2 ? (value, 0) : (value / 100, value % 100)
        guard hours < 24, minutes < 60 else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        digits.reduce(Int64?.some(0)) { sum, byte in
            (0x30...0x39).contains(byte) ? sum.map { $0 * 10 + Int64(byte - 0x30) } : nil
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
