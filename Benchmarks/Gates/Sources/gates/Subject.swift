// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Logging
import ReferenceRecords
import WebTracking

#if canImport(Glibc)
import Glibc
#endif

/// A scenario's loggers, and what is behind them.
///
/// Records are logged in rounds that fit into one batch, and after each the producer is flushed, so that what the
/// calling thread does is the same in each run, whenever the delivering threads come to theirs. The first record of a
/// round opens a batch; the others find it open.
struct Subject {
    enum Handler: String {
        /// swift-log alone, with whatever the scenario asks of every handler.
        case noop
        /// This library, with a transport that takes everything at once.
        case ours
        /// The same, with a fault that the gate has to find.
        case allocating
        case slow
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let scenario: Scenario
    private let loggers: [Logger]
    private let producer: WebTrackingProducer?
    private let spool: SpoolFolder?
    private let transport = HoldableTransport()

    init(_ scenario: Scenario, handler: Handler) throws {
        self.scenario = scenario
        let spool = scenario.hasSpool ? try SpoolFolder() : nil
        self.spool = spool
        self.producer = try handler == .noop ? nil : Self.producer(for: scenario, spool, transport: self.transport)
        let producer = self.producer
        self.loggers = scenario.labels.map { label in
            var logger = Logger(label: label) { label -> any LogHandler in
                guard let handled = producer?.makeLogHandler(label: label) else {
                    return scenario.describesErrors ? DescribingLogHandler() : NoOpLogHandler()
                }
                switch handler {
                case .allocating: return FaultyLogHandler(handled, fault: .allocation)
                case .slow: return FaultyLogHandler(handled, fault: .instructions)
                case .noop, .ours: return handled
                }
            }
            scenario.prepare(&logger)
            return logger
        }
        if scenario.retires { try self.retire() }
    }

    private static func producer(
        for scenario: Scenario,
        _ spool: SpoolFolder?,
        transport: HoldableTransport
    ) throws -> WebTrackingProducer {
        var configuration = WebTrackingConfiguration(
            endpoint: "http://127.0.0.1",
            project: "benchmark",
            logstore: "gates"
        )
        configuration.source = "gates"
        // Delivery is not what is counted.
        configuration.compression = .none
        configuration.batching.linger = .seconds(3600)
        if let spool {
            configuration.durability = .process
            configuration.spool.directory = spool.path
        }
        scenario.configure(&configuration)
        return try WebTrackingProducer(configuration: configuration, transport: transport)
    }

    /// Logs the records `indices`, which are one round, and says after each one which it was.
    @inline(__always)
    func logRound(_ indices: Range<Int>, _ body: (_ index: Int, _ log: () -> Void) -> Void) {
        let isHeld = self.scenario.isHeld && self.producer != nil
        if isHeld { self.transport.hold() }
        for index in indices {
            body(index) { self.log(index) }
            if isHeld && index == indices.lowerBound { self.transport.waitForRequest() }
        }
        if isHeld { self.transport.release() }
        self.endRound()
    }

    @inline(__always)
    func log(_ index: Int) {
        self.scenario.log(index, self.loggers)
    }

    /// Waits until all is delivered and its memory given back.
    func endRound() {
        guard let producer = self.producer else { return }
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            await producer.flush(timeout: .seconds(60))
            done.signal()
        }
        done.wait()
        let statistics = producer.statistics
        precondition(statistics.totalDropped == 0 && statistics.pending == 0, "a round was not delivered")
    }

    /// Logs once and waits until the topics have been given up for being idle, which takes a second.
    private func retire() throws {
        guard let producer = self.producer else { return }
        for index in self.loggers.indices { self.log(index) }
        self.endRound()
        for _ in 0..<600 where producer.statistics.topics > 1 { usleep(100_000) }
        guard producer.statistics.topics <= 1 else { throw Failure(description: "the topic was never given up") }
    }
}

/// A new folder, which goes with the subject.
private final class SpoolFolder: Sendable {
    let path: String

    init() throws {
        self.path = FileManager.default.temporaryDirectory.appending(path: "gates-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }
}
