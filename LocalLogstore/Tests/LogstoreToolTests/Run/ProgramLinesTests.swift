// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Testing

@testable import LogstoreTool

@Suite("Records of a program's lines")
struct ProgramLinesTests {
    private func records(_ text: String, readsLevels: Bool = true, limit: Int = 10_000) -> [OutgoingRecord] {
        var lines = ProgramLines(stream: "stderr", level: .error, readsLevels: readsLevels, messageLimit: limit)
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
        let stated = "[info] a\n{\"level\":\"debug\",\"msg\":\"c\"}"
        #expect(self.records(stated, readsLevels: false).map(\.level) == [.error, .error])
    }

    @Test func errorsAndCrashesAreAsBadAsThat() {
        #expect(self.records("INFO: x\n    at a.b(c)").map(\.level) == [.error])
        #expect(self.records("a.swift:1: Fatal error: x").map(\.level) == [.critical])
        #expect(self.records("12:00:00 info shop: b: Fatal error: x, tried again").map(\.level) == [.info])
        #expect(self.records("no Fatal error: in here").map(\.level) == [.error])
        let colored = self.records("\u{1B}[91m💣 Program crashed: x\u{1B}[0m\n\nThread 0:")
        #expect(colored.map(\.message) == ["💣 Program crashed: x\n\nThread 0:"])
    }

    @Test func aLineThatIsNoObjectIsText() {
        let records = self.records("{ not json\n{}\nx")
        #expect(records.map(\.message) == ["{ not json", "{}", "x"])
        #expect(self.records("{shop} WARN a\n  at b").map(\.message) == ["{shop} WARN a\n  at b"])
        #expect(self.records("{shop} WARN a").map(\.level) == [.warning])
    }

    @Test func anObjectMayBeLongerThanAMessage() {
        let lines = ProgramLines(stream: "stderr", level: .error, readsLevels: true, messageLimit: 100)
        let object =
            #"{"msg":"a","b":"\#(String(repeating: "b", count: 90))","c":"\#(String(repeating: "c", count: 90))"}"#
        #expect(object.utf8.count <= lines.lineLimit)
        #expect(self.records(object, limit: 100).map(\.message) == ["a"])
        let text = String(repeating: "x", count: 250)
        #expect(self.records(text, limit: 100).map(\.message.utf8.count) == [100, 100, 50])
    }

    @Test func objectsComeAfterWhatWasHeld() {
        #expect(self.records("a\n{\"msg\":\"b\"}\nc").map(\.message) == ["a", "b", "c"])
    }
}
