// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Testing

@testable import LogstoreTool

@Suite("Records of a program's lines")
struct ProgramLinesTests {
    private func records(_ text: String, readsLevels: Bool = true) -> [OutgoingRecord] {
        var lines = ProgramLines(stream: "stderr", level: .error, readsLevels: readsLevels, messageLimit: 10_000)
        var records: [OutgoingRecord] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            records += lines.add(Array(line.utf8)[...], time: Int64(number))
        }
        return records + lines.finish()
    }

    @Test func haveTheLevelThatTheyStateOrTheirStreams() {
        let text = "2026-11-30T12:00:00Z info a: b\nplain\n{\"level\":\"debug\",\"msg\":\"c\",\"n\":1}\n{\"msg\":\"d\"}"
        let records = self.records(text)
        #expect(records.map(\.level) == [.info, .error, .debug, .error])
        #expect(records.map(\.message) == ["2026-11-30T12:00:00Z info a: b", "plain", "c", "d"])
        #expect(records.map(\.time) == [0, 1, 2, 3])
        #expect(records[2].metadata["n"] == "1")
        #expect(records.allSatisfy { $0.metadata["stream"] == "stderr" })
        #expect(self.records("[info] a", readsLevels: false).map(\.level) == [.error])
    }

    @Test func errorsAndCrashesAreAsBadAsThat() {
        #expect(self.records("INFO: x\n    at a.b(c)").map(\.level) == [.error])
        #expect(self.records("a.swift:1: Fatal error: x").map(\.level) == [.critical])
        #expect(self.records("12:00:00 info shop: b: Fatal error: x, tried again").map(\.level) == [.info])
        #expect(self.records("no Fatal error: in here").map(\.level) == [.error])
        let colored = self.records("\u{1B}[91m💣 Program crashed: x\u{1B}[0m\n\na")
        #expect(colored.map(\.message) == ["💣 Program crashed: x\n\na"])
    }

    @Test func aLineThatIsNoObjectIsText() {
        let records = self.records("{ not json\n{}\nx")
        #expect(records.map(\.message) == ["{ not json", "{}", "x"])
    }

    @Test func objectsComeAfterWhatWasHeld() {
        #expect(self.records("a\n{\"msg\":\"b\"}\nc").map(\.message) == ["a", "b", "c"])
    }
}
