// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite("Log levels at run time", .timeLimit(.minutes(10)))
struct LogLevelTests {
    @Test("The longest prefix in whole components decides; the empty one is for all labels")
    func longestPrefixWins() {
        let overrides: [String: LogLevel] = ["": .warning, "shop": .info, "shop.db": .debug]
        func level(_ label: String) -> LogLevel? { LogLevelTable.level(of: label, in: overrides) }
        #expect(level("shop.db.pool") == .debug)
        #expect(level("shop.db") == .debug)
        #expect(level("shop.dbx") == .info)
        #expect(level("shop") == .info)
        #expect(level("shopping") == .warning)
        #expect(level("") == .warning)
        #expect(LogLevelTable.level(of: "other", in: ["shop": .info]) == nil)
    }

    @Test("An override outranks the code's level in handlers that are there already, and gives way to it when it goes")
    func changesAtRunTime() async throws {
        let rig = try Rig { $0.logLevel = .info }
        var sink = rig.sink("shop.db")
        let copy = sink
        sink.logLevel = .warning
        #expect(sink.logLevel == .warning && copy.logLevel == .info)
        rig.producer.logLevelOverrides = ["shop": .debug]
        #expect(sink.logLevel == .debug && copy.logLevel == .debug)
        #expect(rig.sink("shop.mail").logLevel == .debug && rig.sink("other").logLevel == .info)
        sink.debug("let through")
        sink.logLevel = .critical
        #expect(sink.logLevel == .debug)
        rig.producer.logLevelOverrides = [:]
        #expect(sink.logLevel == .critical && copy.logLevel == .info)
        sink.debug("not let through")
        #expect(await rig.drain().map { $0["message"] } == ["let through"])
        await rig.stop()
    }

    @Test("The configuration's overrides are in force from the start")
    func takesTheConfigurations() throws {
        let rig = try Rig { $0.logLevelOverrides = ["noisy": .error] }
        #expect(rig.sink("noisy.library").logLevel == .error)
    }

    @Test("Labels that no handler has any more are forgotten")
    func forgetsLabels() throws {
        let table = LogLevelTable([:])
        let kept = table.cell(for: "kept")
        for number in 0..<10_000 { _ = table.cell(for: "label \(number)") }
        #expect(table.count < 600)
        table.overrides = ["kept": .trace]
        #expect(kept.level == .trace)
        #expect(table.cell(for: "kept") === kept)
    }

    @Test(
        "Around a change of something else, levels that let less through come first, and those that let more through last"
    )
    func changesAroundAnother() {
        let table = LogLevelTable(["closing": .debug, "gone.open": .trace, "gone.shut": .error])
        let labels = ["closing", "opening", "gone.open", "gone.shut"]
        let cells = labels.map { table.cell(for: $0) }
        var between: [LogLevel?] = []
        table.change(to: ["closing": .warning, "opening": .debug], otherwise: .info) { between = cells.map(\.level) }
        #expect(between == [.warning, nil, nil, .error])
        #expect(cells.map(\.level) == [.warning, .debug, nil, nil])
        #expect(table.overrides == ["closing": .warning, "opening": .debug])
    }
}
