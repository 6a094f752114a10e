// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import LocalLogstore
@testable import LogstoreTool

@Suite("Lines of a query")
struct LogPrinterTests {
    private func stored(_ fields: [Field], topic: String = "t", tags: [Field] = []) -> StoredLog {
        StoredLog(
            id: 1,
            requestID: 1,
            position: 0,
            time: 0,
            severity: .none,
            request: StoredRequest(
                receivedAt: Date(timeIntervalSince1970: 0.5),
                project: "p",
                logstore: "l",
                topic: topic,
                source: "s",
                tags: tags,
                rawBytes: 0,
                wireBytes: 0,
                compression: .none,
                logCount: 1
            ),
            log: LogFields(fields)
        )
    }

    private let usual = [
        Field("seq", "7"), Field("time", "T"), Field("level", "info"), Field("label", "app"),
        Field("message", "hello \u{1B}"), Field("k", "v w"), Field("e", ""), Field("q", "\"=\""),
    ]

    @Test func writesASentence() {
        let printer = LogPrinter(format: .text, fields: [])
        #expect(
            printer.line(self.stored(self.usual))
                == #"T info [t] app: hello \u{1b} seq=7 k="v w" e="" q="\"=\"""#
        )
        #expect(printer.line(self.stored([Field("k", "v")], topic: "")) == "1970-01-01T00:00:00.500Z k=v")
    }

    @Test func writesColumns() {
        let printer = LogPrinter(format: .text, fields: ["message", "none", "__topic__", "__tag__:a", "k"])
        #expect(
            printer.line(self.stored(self.usual, tags: [Field("a", "x\ty")])) == "hello \\u{1b}\t\tt\tx\\ty\tv w"
        )
    }

    @Test("Of a long value a terminal gets the beginning and how much is left out, and NDJSON all")
    func cutsLongValues() {
        let long = String(repeating: "\u{E9}\t", count: 500_000)
        let stored = self.stored([
            Field("time", "T"), Field("message", long), Field("k", "v w" + long), Field("e", "\u{E9}\u{E9}"),
        ])
        var printer = LogPrinter(format: .text, fields: [], valueLimit: 4)
        #expect(
            printer.line(stored) == "T [t] \u{E9}\\t\u{E9}\\t… (999996 more characters; --full shows all) "
                + "k=\"v w\u{E9}\"… (999999 more characters; --full shows all) e=\u{E9}\u{E9}"
        )
        printer.fields = ["e", "message"]
        #expect(
            printer.line(stored)
                == "\u{E9}\u{E9}\t\u{E9}\\t\u{E9}\\t… (999996 more characters; --full shows all)"
        )
        printer.format = .ndjson
        #expect(printer.line(stored).utf8.count > 2_000_000)
        printer.fields = []
        #expect(printer.line(stored).utf8.count > 4_000_000)
        #expect(LogPrinter(format: .text, fields: []).line(stored).utf8.count > 4_000_000)
    }

    @Test func writesObjects() {
        let stored = self.stored([Field("b", "\u{1B}\n"), Field("a", "1")], tags: [Field("x", "y")])
        #expect(
            LogPrinter(format: .ndjson, fields: []).line(stored)
                == #"{"__receive_time__":"1970-01-01T00:00:00.500Z","__topic__":"t","__source__":"s","#
                + #""__tag__:x":"y","b":"\u001b\n","a":"1"}"#
        )
        #expect(
            LogPrinter(format: .ndjson, fields: ["a", "none", "__source__"]).line(stored)
                == #"{"a":"1","__source__":"s"}"#
        )
    }
}
