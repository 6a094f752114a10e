//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

@Suite("Sampling and repetition", .timeLimit(.minutes(10)))
struct SamplingTests {
    private func rig(
        first: Int,
        thenOneIn: Int?,
        _ change: (inout WebTrackingConfiguration) -> Void = { _ in }
    ) throws -> Rig {
        try Rig {
            $0.sampling.rates = Sampling.Rate.below(.error, .init(first: first, thenOneIn: thenOneIn))
            change(&$0)
        }
    }

    @Test("The first so many of a statement and second are kept, then one in so many")
    func window() {
        var window = SamplingWindow(second: 10)
        let rate = Sampling.Rate(first: 3, thenOneIn: 4)
        let kept = (1...15).filter { _ in window.offer(at: 10, rate: rate).isKept }
        #expect(kept == [1, 2, 3, 7, 11, 15])
        let next = window.offer(at: 11, rate: rate)
        #expect(next.isKept)
        #expect(next.ended == .init(leftOut: 9, offered: 15))
        #expect(window.end(at: 12) == nil)
        let none = Sampling.Rate(first: 0)
        #expect(!window.offer(at: 12, rate: none).isKept)
        // Backwards is another second, too.
        #expect(window.offer(at: 3, rate: none).ended == .init(leftOut: 1, offered: 1))
    }

    @Test("What is left out is counted as dropped, and told by a record of the statement in the next second")
    func tellsWhatWasLeftOut() async throws {
        let rig = try self.rig(first: 2, thenOneIn: 10)
        let sink = rig.sink("shop")
        func log(_ number: Int) { sink.info("\(number)") }
        for number in 1...12 { log(number) }
        rig.clock.advance(by: .seconds(1))
        log(13)
        let logs = await rig.drain()
        #expect(
            logs.map { $0["message"] } == ["1", "2", "12", "9 of 12 records of this statement were left out", "13"]
        )
        let told = logs[3]
        #expect(told["sampling.left_out"] == "9" && told["sampling.offered"] == "12")
        #expect(told["label"] == "shop" && told["level"] == "info" && told["line"] == logs[0]["line"])
        let numbers = rig.producer.statistics
        #expect(numbers.dropped == [.sampled: 9])
        #expect(numbers.accepted == 14 && numbers.synthetic == 1)
        // A gap in the sequence would be a drop that nobody told of.
        #expect(logs.compactMap { $0["seq"] } == ["1", "2", "3", "4", "5"])
    }

    @Test("A statement that falls silent is told of within two seconds")
    func tellsOfSilentStatements() async throws {
        let rig = try self.rig(first: 1, thenOneIn: nil)
        let sink = rig.sink()
        for _ in 1...3 { sink.info("m") }
        await rig.run(inStepsOf: .seconds(2)) { rig.transport.logs.count == 2 }
        #expect(rig.transport.logs.last?["sampling.left_out"] == "2")
    }

    @Test("A flush and a shutdown tell of everything that was left out")
    func flushAndShutdownTell() async throws {
        let rig = try self.rig(first: 1, thenOneIn: nil)
        let sink = rig.sink()
        func log() { sink.info("m") }
        for _ in 1...3 { log() }
        #expect(await rig.drain().count == 2)
        for _ in 1...4 { log() }
        await rig.stop()
        #expect(rig.transport.logs.compactMap { $0["sampling.left_out"] } == ["2", "3"])
    }

    @Test("error and above are never sampled unless asked, and statements and levels are counted apart")
    func errorsAreKept() async throws {
        let rig = try self.rig(first: 1, thenOneIn: nil)
        let sink = rig.sink()
        for _ in 1...5 {
            sink.error("e")
            sink.critical("c")
            sink.info("a")
            sink.info("b")
        }
        let logs = await rig.drain().filter { $0["sampling.left_out"] == nil }
        #expect(
            logs.count(where: { $0["level"] == "error" }) == 5 && logs.count(where: { $0["level"] == "critical" }) == 5
        )
        #expect(logs.count(where: { $0["message"] == "a" }) == 1 && logs.count(where: { $0["message"] == "b" }) == 1)
        try rig.producer.setSampling(
            {
                var sampling = Sampling.off
                sampling.rates[.error] = .init(first: 0)
                return sampling
            }()
        )
        sink.error("left out")
        #expect(await rig.drain().contains { $0["message"] == "left out" } == false)
    }

    @Test("Off by default, changed at run time, and what had been left out is told at the change")
    func changesAtRunTime() async throws {
        let rig = try Rig()
        #expect(rig.producer.sampling == .off)
        let sink = rig.sink()
        func log() { sink.info("m") }
        for _ in 1...3 { log() }
        var sampling = Sampling.off
        sampling.rates[.info] = .init(first: 1)
        try rig.producer.setSampling(sampling)
        for _ in 1...3 { log() }
        try rig.producer.setSampling(.off)
        log()
        let logs = await rig.drain()
        #expect(logs.count == 6)
        #expect(logs[4]["sampling.left_out"] == "2")
    }

    @Test("A rate that cannot work is an error that names the setting")
    func refusesBadRates() throws {
        for rate in [Sampling.Rate(first: -1), .init(first: 1, thenOneIn: 0)] {
            do {
                _ = try Rig { $0.sampling.rates[.info] = rate }
                Issue.record("no error")
            } catch let error as ConfigurationError {
                #expect(error.setting.hasPrefix("sampling.rates.info."))
            }
        }
    }

    // MARK: Folding

    @Test("Identical consecutive records become one, and a record that says how often it came")
    func foldsRepeats() async throws {
        let rig = try Rig { $0.sampling.foldedLevels = [.info] }
        let sink = rig.sink()
        func log(_ text: String, _ key: String = "a") { sink.info("\(text)", metadata: ["k": "\(key)"]) }
        for _ in 1...5 { log("same") }
        log("same", "b")
        for _ in 1...2 { log("other") }
        sink.warning("not folded")
        sink.warning("not folded")
        let logs = await rig.drain()
        #expect(
            logs.map { $0["message"] } == [
                "same", "the record before this one came 4 more times", "same", "other",
                "the record before this one came 1 more times", "not folded", "not folded",
            ]
        )
        #expect(logs[1]["repeated.count"] == "4" && logs[1]["repeated.seq"] == logs[0]["seq"])
        #expect(rig.producer.statistics.dropped == [.repeated: 5])
        #expect(logs.compactMap { $0["seq"] } == (1...7).map(String.init))
    }

    @Test("What was folded is told when the batch goes: after the linger, at a flush, and at a shutdown")
    func tellsRepeatsWithTheBatch() async throws {
        let rig = try Rig { $0.sampling.foldedLevels = [.info] }
        let sink = rig.sink()
        func log() { sink.info("same") }
        for _ in 1...3 { log() }
        await rig.run(inStepsOf: .seconds(2)) { rig.transport.logs.count == 2 }
        for _ in 1...4 { log() }
        await rig.drain()
        for _ in 1...5 { log() }
        await rig.stop()
        #expect(rig.transport.logs.compactMap { $0["repeated.count"] } == ["2", "3", "4"])
    }

    @Test("Records of a topic in between, or of another level, end a run; other topics do not")
    func foldsPerTopic() async throws {
        let rig = try Rig {
            $0.sampling.foldedLevels = [.info, .debug]
            $0.topic = .label
        }
        let (one, two) = (rig.sink("one"), rig.sink("two"))
        func log(_ sink: WebTrackingLogHandler, _ level: LogLevel = .info) { sink.log(level: level, "m") }
        log(one)
        log(two)
        log(one)
        log(one, .debug)
        log(one)
        let logs = await rig.drain()
        #expect(logs.filter { $0["label"] == "one" }.count == 3)
        #expect(logs.filter { $0["label"] == "two" }.count == 1)
        #expect(logs.compactMap { $0["repeated.count"] } == ["1"])
    }
}
