// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Reads the time of records, and reads and writes the time formats of signed delivery.
enum UTCTimestamp {
    /// Parses a text such as `2026-11-23T08:15:30Z` or `2026-11-23T08:15:30.012345678Z` to nanoseconds since 1970;
    /// `nil` for anything else.
    static func nanoseconds(_ text: some RandomAccessCollection<UInt8>) -> Int64? {
        func byte(_ offset: Int) -> UInt8 { text[text.index(text.startIndex, offsetBy: offset)] }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for offset in range {
                let digit = byte(offset) &- 0x30
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return value
        }
        // Second 60 is a leap second. Years before 2200 keep nanoseconds within 64 bits, which end in 2262.
        let count = text.count
        guard count == 20 || (22...30).contains(count), byte(count - 1) == UInt8(ascii: "Z"),
            byte(4) == UInt8(ascii: "-"), byte(7) == UInt8(ascii: "-"), byte(10) == UInt8(ascii: "T"),
            byte(13) == UInt8(ascii: ":"), byte(16) == UInt8(ascii: ":"),
            let year = number(0..<4), (1970..<2200).contains(year), let month = number(5..<7), (1...12).contains(month),
            let day = number(8..<10), (1...31).contains(day), let hour = number(11..<13), hour < 24,
            let minute = number(14..<16), minute < 60, let second = number(17..<19), second < 61
        else { return nil }
        var fraction: Int64 = 0
        if count > 20 {
            guard byte(19) == UInt8(ascii: "."), let digits = number(20..<count - 1) else { return nil }
            fraction = (count - 21..<9).reduce(digits) { value, _ in value * 10 }
        }
        let days = TimestampFormatter.day(year: Int(year), month: Int(month), day: Int(day))
        return (Int64(days) * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000_000 + fraction
    }

    #if SignedPutLogs
    /// The format of times in signatures: `20261123T081530Z`.
    static func compact(_ nanoseconds: Int64) -> String {
        let seconds = max(nanoseconds, 0) / 1_000_000_000
        let (year, month, day) = TimestampFormatter.civil(day: Int(seconds / 86_400))
        let time = Int(seconds % 86_400)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(width - digits.count, 0)) + digits
        }
        return padded(year, 4) + padded(month, 2) + padded(day, 2) + "T" + padded(time / 3600, 2)
            + padded(time / 60 % 60, 2) + padded(time % 60, 2) + "Z"
    }
    #endif
}
