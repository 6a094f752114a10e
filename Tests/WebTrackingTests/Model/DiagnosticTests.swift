// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct DiagnosticTests {
    private func dropped(_ count: Int, topic: String = "t") -> ProducerDiagnostic {
        .recordsDropped(topic: topic, reason: .memoryFull, count: count, failure: nil)
    }

    @Test func ofEachKindTheFirstIsWrittenAtOnceAndThenOneInTenSecondsWithTheNumberLeftOut() {
        let clock = ManualClock()
        let limiter = DiagnosticLimiter(clock: clock)
        #expect(
            limiter.line(for: self.dropped(1)) == "webtracking: dropped 1 records of topic \"t\", reason memory_full\n"
        )
        #expect(limiter.line(for: self.dropped(2)) == nil)
        #expect(limiter.line(for: self.dropped(3)) == nil)
        let other = ProducerDiagnostic.recordsDropped(topic: "t", reason: .expired, count: 1, failure: nil)
        #expect(limiter.line(for: other) != nil)
        clock.advance(by: .milliseconds(9999))
        #expect(limiter.line(for: self.dropped(4)) == nil)
        clock.advance(by: .milliseconds(1))
        #expect(limiter.line(for: self.dropped(5))?.hasSuffix("(and 3 more like it)\n") == true)
    }

    @Test func aShutdownTellsTheLastOfEachKindThatWasLeftOut() {
        let limiter = DiagnosticLimiter(clock: ManualClock())
        for file in ["1", "2", "3"] { _ = limiter.line(for: .spoolDamaged(file: file, reason: "cut")) }
        let report = DeliveryReport(delivered: 0, dropped: [:], remaining: 0, duration: .zero)
        let lines = limiter.line(for: .shutdownFinished(report))?.split(separator: "\n") ?? []
        #expect(lines.count == 2)
        #expect(lines.first == "webtracking: spool file set aside as 3: cut (and 1 more like it)")
        #expect(lines.last?.hasPrefix("webtracking: shutdown:") == true)
    }

    @Test func whetherASettingIsInForceIsNeverLeftOut() {
        let limiter = DiagnosticLimiter(clock: ManualClock())
        for name in ["a", "b", "c"] {
            #expect(limiter.line(for: .settingsInForce(summary: name)) == "webtracking: settings in force: \(name)\n")
            #expect(limiter.line(for: .settingsRefused(reason: name))?.hasSuffix(": \(name)\n") == true)
        }
    }

    @Test func theLastThatIsWrittenOfTheSpoolSaysWhetherItCanBeWrittenTo() {
        let limiter = DiagnosticLimiter(clock: ManualClock())
        for _ in 0..<3 {
            #expect(limiter.line(for: .spoolUnavailable(directory: "d", reason: "r")) != nil)
            #expect(limiter.line(for: .spoolAvailable(directory: "d")) != nil)
        }
    }

    @Test func aTopicWithControlCharactersStaysOneLine() {
        let line = DiagnosticLimiter(clock: ManualClock()).line(for: self.dropped(1, topic: "a\nb\u{1b}[31m")) ?? ""
        #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 32 })
    }
}
