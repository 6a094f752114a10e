// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("Lines that are one event")
struct LineGroupsTests {
    private func events(_ text: String, limit: Int = 10_000) -> [LineGroups.Event] {
        var groups = LineGroups(limit: limit)
        var events: [LineGroups.Event] = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            if let event = groups.add(Array(line.utf8)[...], time: Int64(number)) { events.append(event) }
        }
        if let event = groups.flush() { events.append(event) }
        return events
    }

    private func texts(_ text: String, limit: Int = 10_000) -> [String] {
        self.events(text, limit: limit).map { String(decoding: $0.text, as: UTF8.self) }
    }

    private static let swiftBacktrace = """
        *** Signal 4: Backtracing from 0x7f0000001000... done ***

        *** Program crashed: Illegal instruction at 0x00007f0000001000 ***

        Platform: x86_64 Linux (Debian GNU/Linux 12)

        Thread 0 "shop" crashed:

        0               0x00007f0000001000 _assertionFailure in libswiftCore.so
        1 [ra]          0x000055550000beef main in shop at /src/main.swift:3:1

             1│ import Foundation
             2│
        *    3│ fatalError("boom")
              │ ▲

        Registers:

        rax 0x0000000000000000  0

        Backtrace took 0.31s
        """

    @Test func aSwiftBacktraceIsOneWhateverIsInIt() {
        let events = self.events("before\n" + Self.swiftBacktrace + "\n\nbehind")
        #expect(events.map(\.kind) == [.line, .crash, .line])
        #expect(String(decoding: events[1].text, as: UTF8.self) == Self.swiftBacktrace)
        #expect(events[1].time == 1 && events[1].lines == 21)
    }

    @Test func theFatalErrorInFrontOfItIsPartOfIt() {
        let text = "shop/main.swift:3: Fatal error: boom\n\n" + Self.swiftBacktrace
        #expect(self.texts(text) == [text])
        #expect(self.events("Fatal error: Error raised at top level: E()\nmore").map(\.kind) == [.crash, .line])
    }

    @Test func errorsOfOtherLanguagesAreOne() {
        let python = """
            Traceback (most recent call last):
              File "a.py", line 1, in <module>
                f()
            KeyError: 'a'

            During handling of the above exception, another exception occurred:

            Traceback (most recent call last):
              File "a.py", line 3, in <module>
                g()
            ValueError: no
            """
        let java = """
            Exception in thread "main" java.lang.IllegalStateException: no
            \tat shop.Main.main(Main.java:3)
            Caused by: java.io.IOException: disk
            \tat shop.Disk.read(Disk.java:9)
            \t... 1 more
            """
        let node = """
            Error: listen EADDRINUSE
                at Server.listen (node:net:1800:16)
                at node:internal/main:1:1
            """
        let go = """
            panic: runtime error: index out of range [3] with length 3

            goroutine 1 [running]:
            main.main()
            \t/src/main.go:7 +0x1d
            exit status 2
            """
        for (text, kind) in [(python, LineGroups.Event.Kind.error), (java, .error), (node, .error), (go, .crash)] {
            let events = self.events("before\n" + text + "\nbehind\nlast")
            #expect(events.map(\.kind) == [.line, kind, .line, .line])
            #expect(String(decoding: events[1].text, as: UTF8.self) == text)
        }
    }

    /// Of a supervisor whose child crashed, or where `swift-backtrace` was not found.
    @Test(arguments: [
        ("*** Signal 11: Backtracing from 0x7f0000001000... done ***", 1),
        ("*** Signal 11: Backtracing from 0x7f0000001000... failed ***", 1),
        ("💣 Program crashed: Illegal instruction at 0x00007f0000001000", 1),
        ("Current stack trace:\n0    libswiftCore.so   0x00007f0000001000 _reportFatal + 123", 2),
        ("*** Signal 15 received ***", 1),
        ("💣 boom", 1),
    ])
    func whatBeginsLikeACrashEndsWhereNoBacktraceIs(head: String, lines: Int) {
        let events = self.events(head + "\n2026-11-30T12:00:00Z info a: up again\nready\nPOST /x 200")
        #expect(events.map(\.lines) == [lines, 1, 1, 1])
        #expect(events.dropFirst().allSatisfy { $0.kind == .line })
    }

    @Test func aCrashWithoutAnEndIsOverAfterAMinute() {
        var groups = LineGroups(limit: 10_000)
        let line = Array("0 0x0000000000001000 f in shop".utf8)[...]
        #expect(groups.add(Array("*** Program crashed: Illegal instruction at 0x1 ***".utf8)[...], time: 0) == nil)
        #expect(groups.add(line, time: 59_999_999_999) == nil)
        #expect(groups.add(line, time: 60_000_000_000)?.lines == 2)
    }

    @Test func whatOthersCallFatalTakesNoLines() {
        let lines = ["fatal error: a.h: No such file (or directory)", "retry (1)", "goroutine pool started", "f(x)"]
        let events = self.events(lines.joined(separator: "\n"))
        #expect(events.map(\.lines) == [1, 1, 1, 1] && events.allSatisfy { $0.kind == .line })
        let panic =
            "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [select (no cases)]:\nmain.main()"
        #expect(self.events(panic + "\nserver stopped (2)").map(\.kind) == [.crash, .line])
        #expect(self.texts(panic + "\nserver stopped (2)").first == panic)
    }

    @Test func otherLinesAreEachTheirOwn() {
        #expect(self.texts("a\n  b\n\nc\n\n\n") == ["a", "  b", "c"])
        #expect(self.texts("Traceback (most recent call last):") == ["Traceback (most recent call last):"])
    }

    @Test func anEndlessOneIsCut() {
        let frames = (0..<100).map { "    at f\($0) (a.js:1:1)" }
        let texts = self.texts((["Error: x"] + frames).joined(separator: "\n"), limit: 500)
        #expect(texts.count > 3 && texts.allSatisfy { $0.utf8.count <= 500 })
        #expect(texts.joined(separator: "\n").split(separator: "\n").count == 101)
    }

    @Test func whatIsHeldWaitsForWhatItIs() {
        var groups = LineGroups(limit: 1000)
        #expect(groups.patience == nil)
        _ = groups.add(Array("a".utf8)[...], time: 0)
        let line = groups.patience
        _ = groups.add(Array("*** Signal 11: Backtracing from 0x1... done ***".utf8)[...], time: 0)
        #expect(line.map { $0 < .seconds(1) } == true && groups.patience.map { $0 > .seconds(10) } == true)
        let held = groups.flush()
        #expect(held != nil && groups.patience == nil)
        _ = groups.add(Array("Fatal error: a".utf8)[...], time: 0)
        #expect(groups.patience.map { $0 <= .seconds(1) } == true)
    }
}
