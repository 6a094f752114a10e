// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Testing

@testable import LogstoreTool

@Suite("The level that a line states")
struct StatedLevelTests {
    @Test(
        arguments: [
            ("2026-11-30T12:00:00+0000 info shop: [Shop] placed", .info),
            ("2026-11-30T12:00:00+0000 debug shop: n=1 [Shop] error in it", .debug),
            ("2026/11/30 12:00:00 [error] 7#7: *1 open() failed", .error),
            ("2026-11-30 12:00:00.000 UTC [123] FATAL:  no", .critical), ("WARNING:root:low", .warning),
            ("INFO:     127.0.0.1:1 - \"GET / HTTP/1.1\" 200", .info), ("[warn] slow", .warning),
            ("time=2026-11-30T12:00:00Z level=error msg=\"x\"", .error), ("lvl=\"dbug\" level=\"debug\"", .debug),
            ("E1130 12:00:00.000000 7 main.go:1] no", .error), ("I1130 12:00:00.000000 7 x", .info),
            ("<3>from a daemon", .error), ("<7>x", .debug), ("error: no such file", .error),
            ("main.swift:3:1: warning: unused", .warning), ("12:00:00 INFO  [main] Shop - started", .info),
        ] as [(String, Logger.Level)]
    )
    func isFound(line: String, level: Logger.Level) {
        #expect(StatedLevel.level(of: Array(line.utf8)[...]) == level)
    }

    @Test(arguments: [
        "", "no error found", "error handling is on", "Information for you: none", "I have 4 items", "order 12 placed",
        "the fine print", "0 errors", "<9>x", "<", "E1130", "alert the user, info follows", "level=", "=",
        "one two three four five six ERROR", "\u{1F4A3} x", "Infos: x", "ERROR_CODE=7",
    ])
    func isNotGuessed(line: String) {
        #expect(StatedLevel.level(of: Array(line.utf8)[...]) == nil)
    }
}
