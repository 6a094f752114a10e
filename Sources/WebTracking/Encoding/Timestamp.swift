//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Wall-clock time as ISO 8601 text in UTC with nanoseconds, for example `2026-11-23T08:15:30.012345678Z`.
///
/// The text up to the second is kept between calls, since most records fall into the second of the one before.
package struct TimestampFormatter: Sendable {
    private var second = Int64.min
    private var text: [UInt8] = Array("0000-00-00T00:00:00.".utf8)

    package init() {}

    /// Appends the text of `nanoseconds` since 1970-01-01T00:00:00Z.
    package mutating func append(_ nanoseconds: Int64, to writer: inout ByteWriter) {
        let (second, fraction) = Self.split(nanoseconds)
        if second != self.second {
            self.second = second
            self.format(second)
        }
        writer.append(self.text)
        var divisor: Int64 = 100_000_000
        var rest = fraction
        while divisor > 0 {
            writer.append(UInt8(truncatingIfNeeded: rest / divisor) + 0x30)
            rest %= divisor
            divisor /= 10
        }
        writer.append(UInt8(ascii: "Z"))
    }

    private static func split(_ nanoseconds: Int64) -> (second: Int64, fraction: Int64) {
        let (second, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return fraction < 0 ? (second - 1, fraction + 1_000_000_000) : (second, fraction)
    }

    private mutating func format(_ second: Int64) {
        let day = Int64((Double(second) / 86_400).rounded(.down))
        let time = Int(second - day * 86_400)
        let (year, month, date) = Self.civil(day: Int(day))
        self.put(year, at: 0, digits: 4)
        self.put(month, at: 5, digits: 2)
        self.put(date, at: 8, digits: 2)
        self.put(time / 3600, at: 11, digits: 2)
        self.put(time / 60 % 60, at: 14, digits: 2)
        self.put(time % 60, at: 17, digits: 2)
    }

    private mutating func put(_ number: Int, at position: Int, digits: Int) {
        var rest = number
        for index in (position..<position + digits).reversed() {
            self.text[index] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
            rest /= 10
        }
    }

    /// The Gregorian date of a day counted from 1970-01-01, over eras of 400 years that start on the first of March.
    package static func civil(day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// The day, counted from 1970-01-01, of a Gregorian date.
    package static func day(year: Int, month: Int, day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
