// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import ReferenceRecords
import Synchronization

@testable import WebTracking

/// Threads that append records of 430 bytes to one topic, by the queue's own function: no log call around it.
struct AppendRun {
    var threads: Int
    var work: OtherWork

    private static let recordBytes = 430
    /// Held while too much waits, as in `measure`: nothing is dropped.
    private static let closesAbove = 30 << 20
    private static let opensBelow = 20 << 20

    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private final class Signals: Sendable {
        let isClosed = Atomic(false)
        let isOver = Atomic(false)
    }

    func measure(
        configuration: WebTrackingConfiguration,
        seconds: Double,
        warmUp: Double
    ) async throws -> [(name: String, value: Double)] {
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: CountingTransport(),
            diagnostics: .none
        )
        // A producer keeps its table for itself, in be75a81 from its tests, too.
        guard let table = Mirror(reflecting: producer).descendant("table") as? TopicTable else {
            throw Failure(description: "the producer has no table of topics")
        }
        let signals = Signals()
        let watcher = Thread {
            while !signals.isOver.load(ordering: .relaxed) {
                let pending = producer.statistics.pendingBytes
                if pending > Self.closesAbove { signals.isClosed.store(true, ordering: .relaxed) }
                if pending < Self.opensBelow { signals.isClosed.store(false, ordering: .relaxed) }
                usleep(1_000)
            }
        }
        watcher.start()
        _ = self.append(to: table, for: UInt64(warmUp * 1e9), signals)
        let outcome = self.append(to: table, for: UInt64(seconds * 1e9), signals)
        signals.isOver.store(true, ordering: .relaxed)
        await producer.flush(timeout: .seconds(60))
        let dropped = producer.statistics.totalDropped
        await producer.shutdown(timeout: .seconds(10))
        return [
            ("appends", Double(outcome.appends)),
            ("appends_per_second", outcome.perSecond),
            ("held_share", outcome.heldShare),
            ("dropped", Double(dropped)),
        ]
    }

    private struct Outcome {
        var appends = 0
        var perSecond = 0.0
        var heldShare = 0.0
    }

    private func append(to table: TopicTable, for duration: UInt64, _ signals: Signals) -> Outcome {
        let total = Mutex(Outcome())
        let group = DispatchGroup()
        let (work, threads) = (self.work, self.threads)
        let end = now() + duration
        for _ in 0..<threads {
            group.enter()
            Thread.detachNewThread {
                let found = Self.appendOnThread(to: table, until: end, work, signals)
                total.withLock {
                    $0.appends += found.appends
                    $0.perSecond += found.perSecond
                    $0.heldShare += found.heldShare / Double(threads)
                }
                group.leave()
            }
        }
        group.wait()
        return total.withLock { $0 }
    }

    private static func appendOnThread(
        to table: TopicTable,
        until end: UInt64,
        _ work: OtherWork,
        _ signals: Signals
    ) -> Outcome {
        // As the encoder leaves it: what opens a record, and its number, are the queue's.
        let text = "\"message\":\"" + String(repeating: "the quick brown fox ", count: 30)
        let members = Array(text.utf8.prefix(Self.recordBytes - 2)) + Array("\"}".utf8)
        var outcome = Outcome()
        var value = OtherWork.seed
        var held: UInt64 = 0
        let start = now()
        var time = start
        members.withUnsafeBytes { members in
            while time < end {
                for _ in 0..<64 {
                    let answer = table.base.append(members, rank: LogLevel.info.rank, repairs: RepairCounts())
                    if answer == .accepted { outcome.appends += 1 }
                    work.run(&value)
                }
                time = now()
                guard signals.isClosed.load(ordering: .relaxed) else { continue }
                while signals.isClosed.load(ordering: .relaxed) { usleep(200) }
                let since = time
                time = now()
                held += time - since
            }
        }
        // It never is; but what nobody asks for, the compiler leaves out.
        precondition(value != 0)
        let busy = Double(time - start) - Double(held)
        outcome.perSecond = Double(outcome.appends) / max(busy, 1) * 1e9
        outcome.heldShare = Double(held) / Double(max(time - start, 1))
        return outcome
    }
}
