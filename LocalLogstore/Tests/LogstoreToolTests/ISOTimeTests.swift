// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import LogstoreTool

@Suite("Times of ISO 8601")
struct ISOTimeTests {
    @Test("Every day of three centuries is where Foundation has it, and no other day is one")
    func everyDay() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        // Not by #expect each: there are a hundred thousand.
        var wrong: [String] = []
        for year in 1970..<2262 {
            for month in 1...12 {
                let first = try #require(calendar.date(from: DateComponents(year: year, month: month, day: 1)))
                let days = try #require(calendar.range(of: .day, in: .month, for: first)).count
                for day in 0...32 {
                    let text = String(format: "%04d-%02d-%02d", year, month, day)
                    let expected = Int64(first.timeIntervalSince1970) + Int64(day - 1) * 86_400
                    let nanoseconds = try? ISOTime.beginning(ofDay: text)
                    if nanoseconds != ((1...days).contains(day) ? expected * 1_000_000_000 : nil) { wrong.append(text) }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01 00:00:01,5z", 1_500_000_000),
            ("1970-01-01T08:00:00.000000001+08:00", 1), ("1969-12-31T23:00:00Z", nil),
            ("1970-01-01T00:00:00-0130", 5_400_000_000_000), ("1970-01-01T08:00:00+08", 0),
            // Before there is anything.
            ("1970-01-01T00:00:00+08:00", 0),
            ("1970-01-01T00:00:00", nil), ("1970-01-01T00:00:00+", nil), ("1970-01-01T00:00:00+24:00", nil),
            ("1970-01-01T00:00", nil), ("", nil), ("1970-01-01T00:00:00Zx", nil), ("1970-01-01_00:00:00Z", nil),
        ] as [(String, Int64?)]
    )
    func readsTimes(text: String, nanoseconds: Int64?) {
        #expect((try? ISOTime.nanoseconds(text)) == nanoseconds)
    }
}
