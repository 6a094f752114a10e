// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Wall-clock time as ISO 8601 text in UTC with nanoseconds, for example `2026-11-23T08:15:30.012345678Z`.
///
/// Keeps the text of the last second, as most records have the same second as the record before.
package struct TimestampFormatter: Sendable {
    private var second = Int64.min
    /// `2026-11-23T08:15:30.`: 20 bytes, stored as numbers, so that three stores copy them.
    private var text: (UInt64, UInt64, UInt32) = (0, 0, 0)

    private static let textBytes = 20
    /// The bytes of the whole text.
    static let count = textBytes + 10
    private static let longest = 32

    package init() {}

    /// Appends the text of `nanoseconds` since 1970-01-01T00:00:00Z.
    @inline(__always)
    package mutating func append(_ nanoseconds: Int64, to writer: inout ByteWriter) {
        let (second, fraction) = Self.split(nanoseconds)
        if second != self.second { self.format(second) }
        let text = self.text
        writer.append(room: Self.longest) { target in
            target.storeBytes(of: text.0, as: UInt64.self)
            target.storeBytes(of: text.1, toByteOffset: 8, as: UInt64.self)
            target.storeBytes(of: text.2, toByteOffset: 16, as: UInt32.self)
            DecimalDigits.writeNine(UInt32(truncatingIfNeeded: fraction), to: target + Self.textBytes)
            target.storeBytes(of: UInt8(ascii: "Z"), toByteOffset: Self.textBytes + 9, as: UInt8.self)
            return Self.count
        }
    }

    private static func split(_ nanoseconds: Int64) -> (second: Int64, fraction: Int64) {
        let (second, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return fraction < 0 ? (second - 1, fraction + 1_000_000_000) : (second, fraction)
    }

    @inline(never)
    private mutating func format(_ second: Int64) {
        // Rounded down, so that days before 1970 are right, too. A double has room for all seconds of 64-bit nanoseconds.
        let day = Int64((Double(second) / 86_400).rounded(.down))
        let time = Int(second - day * 86_400)
        let (year, month, date) = Self.civil(day: Int(day))
        // Write in place: an array would be an allocation each second.
        withUnsafeMutableBytes(of: &self.text) { text in
            let form: StaticString = "0000-00-00T00:00:00."
            text.copyMemory(from: UnsafeRawBufferPointer(start: form.utf8Start, count: Self.textBytes))
            Self.put(year, at: 0, digits: 4, in: text)
            Self.put(month, at: 5, digits: 2, in: text)
            Self.put(date, at: 8, digits: 2, in: text)
            Self.put(time / 3600, at: 11, digits: 2, in: text)
            Self.put(time / 60 % 60, at: 14, digits: 2, in: text)
            Self.put(time % 60, at: 17, digits: 2, in: text)
        }
        self.second = second
    }

    private static func put(_ number: Int, at position: Int, digits: Int, in text: UnsafeMutableRawBufferPointer) {
        var rest = number
        for index in (position..<position + digits).reversed() {
            text[index] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
            rest /= 10
        }
    }

    /// The Gregorian date of a day counted from 1970-01-01. Computed in eras of 400 years, in which years begin on 1
    /// March.
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
