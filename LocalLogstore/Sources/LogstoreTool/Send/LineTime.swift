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
            return try? ISOTime.nanoseconds(text)
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
}
