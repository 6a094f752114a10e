// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct TimestampTests {
    private func text(_ nanoseconds: Int64, _ formatter: inout TimestampFormatter) -> String {
        var writer = ByteWriter()
        formatter.append(nanoseconds, to: &writer)
        return writer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (951_782_399_999_999_999, "2000-02-28T23:59:59.999999999Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
        (1_709_164_800_123_456_789, "2024-02-29T00:00:00.123456789Z"),
        (4_102_444_800_000_000_000, "2100-01-01T00:00:00.000000000Z"),
    ])
    func knownTimes(nanoseconds: Int64, expected: String) {
        var formatter = TimestampFormatter()
        #expect(self.text(nanoseconds, &formatter) == expected)
    }

    @Test func agreesWithFoundationAtAnyTime() {
        var formatter = TimestampFormatter()
        let reference = Date.ISO8601FormatStyle()
        for _ in 0..<5000 {
            let second = Int64.random(in: -5_000_000_000...9_000_000_000)
            let expected = Date(timeIntervalSince1970: TimeInterval(second)).formatted(reference)
            #expect(self.text(second * 1_000_000_000, &formatter).prefix(19) == expected.prefix(19))
        }
    }

    @Test func theClockStandingStillOrGoingBackIsWrittenAsItIs() {
        var formatter = TimestampFormatter()
        #expect(self.text(2_000_000_001, &formatter) == "1970-01-01T00:00:02.000000001Z")
        #expect(self.text(2_000_000_001, &formatter) == "1970-01-01T00:00:02.000000001Z")
        #expect(self.text(1_000_000_000, &formatter) == "1970-01-01T00:00:01.000000000Z")
    }
}
