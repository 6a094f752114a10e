// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
        let reported = logs[3]
        #expect(reported["sampling.left_out"] == "9" && reported["sampling.offered"] == "12")
        #expect(reported["label"] == "shop" && reported["level"] == "info" && reported["line"] == logs[0]["line"])
        let numbers = rig.producer.statistics
        #expect(numbers.dropped == [.sampled: 9])
        #expect(numbers.accepted == 14 && numbers.synthetic == 1)
        // A gap in the sequence would be a drop that nobody told of.
        #expect(logs.compactMap { $0["seq"] } == ["1", "2", "3", "4", "5"])
        await rig.stop()
    }

    @Test("What was left out is told where a record of its label without metadata goes")
    func tellsInTheTopicOfTheLabel() async throws {
        let rig = try self.rig(first: 0, thenOneIn: nil) {
            $0.topic = .label
            $0.promotedTags = ["tenant"]
        }
        rig.sink("shop").info("1", metadata: ["tenant": "a"])
        _ = await rig.drain()
        #expect(rig.transport.stored.map(\.topic) == ["shop"])
        await rig.stop()
    }

    @Test("A statement that falls silent is told of within two seconds")
    func tellsOfSilentStatements() async throws {
        let rig = try self.rig(first: 1, thenOneIn: nil)
        let sink = rig.sink()
        for _ in 1...3 { sink.info("m") }
        await rig.run(inStepsOf: .seconds(2)) { rig.transport.logs.count == 2 }
        #expect(rig.transport.logs.last?["sampling.left_out"] == "2")
        await rig.stop()
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
        // All in one second, so that the first one of it is the only one that is kept.
        let reported = rig.transport.logs.compactMap { $0["sampling.left_out"] }
        #expect(reported == ["2", "4"])
        #expect(rig.transport.logs.compactMap { $0["sampling.offered"] } == ["3", "4"])
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
        await rig.stop()
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
        await rig.stop()
    }

    @Test("Neither a flush nor a change of the redaction lets more of a second through than the rate says")
    func aSecondIsASecond() async throws {
        let rig = try self.rig(first: 10, thenOneIn: nil)
        let sink = rig.sink()
        func log() { sink.info("m") }
        for round in 1...20 {
            for _ in 1...5 { log() }
            await rig.drain()
            try rig.producer.setRedaction(Redaction(rules: [.key("round\(round)", .mask)]))
        }
        let logs = await rig.drain()
        #expect(logs.count { $0["sampling.left_out"] == nil } == 10)
        #expect(logs.compactMap { $0["sampling.left_out"].flatMap { Int($0) } }.reduce(0, +) == 90)
        rig.clock.advance(by: .seconds(1))
        log()
        #expect(await rig.drain().count { $0["sampling.left_out"] == nil } == 11)
        await rig.stop()
    }

    @Test("What there is no room to tell of is told when there is")
    func tellsLater() async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .noAnswer)) {
            $0.memoryLimit = 1 << 20
            $0.batching.urgentLevel = nil
            $0.sampling.rates = Sampling.Rate.below(.error, .init(first: 1))
        }
        let sink = rig.sink()
        func log() { sink.info("m") }
        for _ in 1...10 { log() }
        // Nothing is under way while memory fills, so that nothing is given back.
        await rig.producer.flush(timeout: .zero)
        await rig.run { !rig.diagnostics.elements.isEmpty }
        let reported = rig.producer.statistics.synthetic
        for _ in 1...10 { log() }
        while (rig.producer.statistics.dropped[.memoryFull] ?? 0) < 100 {
            for _ in 1...100 { sink.critical("fills the memory") }
        }
        // By the next record of the statement, by a change, and by a flush.
        rig.clock.advance(by: .seconds(1))
        for _ in 1...10 { log() }
        try rig.producer.setSampling(.off)
        #expect(rig.producer.statistics.synthetic == reported)
        let sampled = try #require(rig.producer.statistics.dropped[.sampled])
        #expect(sampled > 20)
        rig.transport.reply(otherwise: .success)
        await rig.runUntilSettled()
        let logs = await rig.drain()
        #expect(logs.compactMap { $0["sampling.left_out"].flatMap { Int($0) } }.reduce(0, +) == sampled)
        await rig.stop()
    }

    @Test("A report that is taken back is made again, with what came to it")
    func takesReportsBack() throws {
        var sampling = Sampling.off
        sampling.rates[.info] = .init(first: 0)
        let sampler = Sampler(sampling, count: LeftOutCount())
        let event = LogEvent(level: .info, message: "m", metadata: nil, source: nil, file: "f", function: "g", line: 7)
        _ = sampler.offer(event, label: "l", time: 0)
        let report = try #require(sampler.takeReports(at: 1_000_000_000, all: false).first)
        #expect(sampler.isEmpty)
        sampler.restore(report, at: 1_000_000_000)
        #expect(!sampler.isEmpty)
        _ = sampler.offer(event, label: "l", time: 1_000_000_000)
        let again = sampler.takeReports(at: 2_000_000_000, all: false)
        #expect(again.map(\.summary) == [.init(leftOut: 2, offered: 2)])
        #expect(again.first?.site.line == 7 && again.first?.function == "g" && again.first?.label == "l")
    }

    @Test("After the shutdown a record is too late, whether or not it would have been sampled")
    func tooLateIsNotSampled() async throws {
        let rig = try self.rig(first: 1, thenOneIn: nil)
        let sink = rig.sink()
        func log() { sink.info("m") }
        for _ in 1...3 { log() }
        await rig.stop()
        var sampling = Sampling.off
        sampling.rates[.info] = .init(first: 0)
        try rig.producer.setSampling(sampling)
        for _ in 1...5 { log() }
        #expect(rig.producer.statistics.dropped == [.sampled: 2, .afterShutdown: 5])
        #expect(rig.transport.logs.compactMap { $0["sampling.left_out"] } == ["2"])
    }

    @Test("What was to be left out makes no flush incomplete, and is in its report")
    func isCompleteAllTheSame() async throws {
        let rig = try self.rig(first: 1, thenOneIn: nil) { $0.sampling.suppressedRepeats = [.error] }
        let sink = rig.sink()
        func log(_ level: LogLevel) { sink.log(level: level, "m") }
        for _ in 1...3 { log(.info) }
        for _ in 1...3 { log(.error) }
        let stopped = await rig.stop()
        #expect(stopped.isComplete && stopped.delivered > 0)
        let reports = DeliveryReport(
            delivered: 1,
            dropped: [.sampled: 2, .repeated: 2],
            remaining: 0,
            duration: .zero
        )
        #expect(reports.isComplete)
        var lossy = reports
        lossy.dropped[.expired] = 1
        #expect(!lossy.isComplete)
    }

    @Test("Redaction is for what the program logs, not for the records that tell: their numbers add up under any rule")
    func tellsUnderAnyRedaction() async throws {
        for action in [Redaction.Action.mask, .drop] {
            let rig = try self.rig(first: 1, thenOneIn: nil) {
                $0.redaction = Redaction(rules: [.function { _, _ in action }])
                $0.sampling.suppressedRepeats = [.error]
                $0.batching.urgentLevel = nil
            }
            let sink = rig.sink()
            func log(_ level: LogLevel) { sink.log(level: level, "m", metadata: ["k": "v"]) }
            for _ in 1...4 { log(.info) }
            for _ in 1...6 { log(.error) }
            await rig.drain()
            let before = rig.producer.statistics.redacted
            rig.transport.reply([.failure(status: 400, code: "InvalidAPIVersion")], otherwise: .success)
            log(.critical)
            await rig.runUntilSettled()
            await rig.stop()
            let logs = rig.transport.logs
            #expect(logs.compactMap { $0["sampling.left_out"] } == ["3"])
            #expect(logs.compactMap { $0["repeated.count"] } == ["5"])
            #expect(logs.compactMap { $0["dropped.total"] } == ["1"])
            #expect(rig.producer.statistics.redacted == before + 1)
        }
    }

    @Test("A function may take its time and log: it is called under no lock of the topic's")
    func callsNoFunctionUnderALock() async throws {
        let box = Lock<WebTrackingLogHandler?>(nil)
        let rig = try Rig {
            $0.sampling.suppressedRepeats = [.info]
            $0.redaction = Redaction(rules: [
                .function { key, _ in
                    // Would wait for itself for ever.
                    if key != "inner" { box.withLock { $0 }?.info("from a function", metadata: ["inner": "1"]) }
                    return nil
                }
            ])
        }
        let sink = rig.sink()
        for _ in 1...3 { sink.info("same") }
        box.withLock { $0 = sink }
        sink.warning("other")
        box.withLock { $0 = nil }
        #expect(await rig.drain().compactMap { $0["repeated.count"] } == ["2"])
        await rig.stop()
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
        let rig = try Rig { $0.sampling.suppressedRepeats = [.info] }
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
        await rig.stop()
    }

    @Test("Equal records are folded in whatever order their metadata comes", arguments: 2...9)
    func foldsInAnyOrder(keys: Int) async throws {
        let rig = try Rig { $0.sampling.suppressedRepeats = [.info] }
        let sink = rig.sink()
        // An equal dictionary of another capacity has its keys in another order.
        func metadata(_ capacity: Int) -> LogMetadata {
            var metadata = LogMetadata(minimumCapacity: capacity)
            for key in 0..<keys { metadata["k\(key)"] = "a\\\",\(key)," }
            return metadata
        }
        let equal = (0..<6).map { metadata(1 << $0) }
        #expect(equal.allSatisfy { $0 == equal[0] })
        func log(_ metadata: LogMetadata) { sink.info("m", metadata: metadata) }
        for metadata in equal { log(metadata) }
        #expect(rig.producer.statistics.dropped[.repeated] == 5)
        // The values of two keys, exchanged.
        var other = equal[0]
        (other["k0"], other["k1"]) = (other["k1"], other["k0"])
        log(other)
        #expect(rig.producer.statistics.dropped[.repeated] == 5)
        await rig.stop()
    }

    @Test("No record is folded into another that only has the same bytes")
    func foldsNothingElse() throws {
        var random = SeededGenerator(seed: 31)
        let texts = ["", "a", "\",\"", "\\", "\\\"", ",", "\",", ",\"", "}", "a\":\"b"]
        func fields() -> [String: String] {
            var fields: [String: String] = [:]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let key = texts.randomElement(using: &random) ?? ""
                fields[key, default: ""] += texts.randomElement(using: &random) ?? ""
            }
            return fields
        }
        func bytes(_ fields: [String: String]) -> [UInt8] {
            var writer = ByteWriter(capacity: 64)
            for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
                writer.append(literal: "\",\"")
                writer.append(escaping: key)
                writer.append(literal: "\":\"")
                writer.append(escaping: value)
            }
            writer.append(literal: "\"}")
            return writer.withBytes { Array($0) }
        }
        // Values that change places have the same bytes, too.
        func exchanged(_ fields: [String: String]) -> [String: String] {
            Dictionary(uniqueKeysWithValues: zip(fields.keys, fields.values.shuffled(using: &random)))
        }
        var folded = 0
        for _ in 0..<3000 {
            let first = fields()
            let second = Bool.random(using: &random) ? exchanged(first) : fields()
            let (before, after) = (bytes(first), bytes(second))
            var fold = RepeatedRecord()
            before.withUnsafeBytes { fold.remember($0, rank: 1, sequence: nil) }
            let isFolded = after.withUnsafeBytes { fold.countIfRepeated($0, rank: 1) }
            if isFolded != (first == second) { Issue.record("\(first) and \(second)") }
            if isFolded { folded += 1 }
        }
        #expect(folded > 500)
    }

    @Test("What was folded is told when the batch goes: after the linger, at a flush, and at a shutdown")
    func tellsRepeatsWithTheBatch() async throws {
        let rig = try Rig { $0.sampling.suppressedRepeats = [.info] }
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
            $0.sampling.suppressedRepeats = [.info, .debug]
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
        await rig.stop()
    }

    @Test("Repeats that there is no room to tell of are told with other drops", arguments: [0, 70, 140, 210, 280])
    func tellsRepeatsLater(padding: Int) async throws {
        let rig = try Rig(transport: InMemoryTransport(otherwise: .noAnswer)) {
            $0.memoryLimit = 1 << 20
            $0.batching.urgentLevel = nil
            $0.sampling.suppressedRepeats = [.critical]
        }
        let sink = rig.sink()
        let padding = String(repeating: "x", count: padding)
        var number = 0
        while (rig.producer.statistics.dropped[.memoryFull] ?? 0) < 100 {
            // Looking at the numbers takes longer than a record.
            for _ in 1...100 {
                number += 1
                for _ in 1...2 { sink.critical("\(number) \(padding)") }
            }
        }
        rig.transport.reply(otherwise: .success)
        await rig.runUntilSettled()
        await rig.stop()
        let reported = ["repeated.count", "dropped.repeated.critical"].map { name in
            rig.transport.logs.compactMap { $0[name].flatMap { Int($0) } }.reduce(0, +)
        }
        let repeated = try #require(rig.producer.statistics.dropped[.repeated])
        #expect(reported[0] + reported[1] == repeated)
        #expect(reported[0] > 0)
    }
}
