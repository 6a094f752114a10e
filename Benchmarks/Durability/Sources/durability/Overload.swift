//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Logging
import Synchronization
import WebTracking

/// Ten times what the endpoint takes, with the default memory limit of 64 MiB.
enum Overload {
    /// What the endpoint takes, in bytes of JSON a second.
    private static let capacity = 2_000_000

    static func measure(directory: String, seconds: Int) async throws {
        for (name, durability) in [("memory", Durability.memory), ("process", .process)] {
            let transport = SlowTransport(bytesPerSecond: self.capacity)
            var configuration = Main.configuration(durability, directory: directory)
            configuration.compression = .none
            configuration.spool.maximumBytes = 64 << 20
            let producer = try WebTrackingProducer(
                configuration: configuration,
                transport: transport,
                diagnostics: .none
            )
            let logger = Logger(label: "overload", factory: producer.makeLogHandler(label:))
            let padding = String(repeating: "x", count: 900)
            var samples = Samples(capacity: seconds * 30_000)
            var logged: [Logger.Level: Int] = [:]
            let start = Samples.now()
            var number = 0
            while Samples.now() - start < UInt64(seconds) * 1_000_000_000 {
                // 20 MB a second: 20 records of a kilobyte each millisecond.
                let due = Int((Samples.now() - start) / 50_000)
                while number < due {
                    number += 1
                    let level: Logger.Level = number % 200 == 0 ? .error : number % 20 == 0 ? .warning : .info
                    logged[level, default: 0] += 1
                    samples.time { logger.log(level: level, "\(number)", metadata: ["padding": "\(padding)"]) }
                }
                try await Task.sleep(for: .milliseconds(1))
            }
            let peak = processStatus("VmHWM") >> 10
            let anonymous = processStatus("RssAnon") >> 10
            let held = producer.statistics.pendingBytes >> 20
            transport.hurry()
            await producer.shutdown(timeout: .seconds(60))
            let numbers = producer.statistics
            let sorted = samples.sorted()
            print("\(name): \(number) records in \(seconds) s, \(sorted.count) calls")
            print(
                "  caller p50 \(sorted.quantile(0.5)) p99 \(sorted.quantile(0.99)) p99.9 \(sorted.quantile(0.999)) ns"
            )
            print("  peak RSS \(peak) MiB, anonymous \(anonymous) MiB, held \(held) MiB before the end")
            for level in [Logger.Level.info, .warning, .error] {
                let all = logged[level] ?? 0
                let dropped = numbers.droppedByLevel[level] ?? 0
                let arrived = transport.count(of: level)
                print("  \(level): logged \(all), arrived \(arrived), dropped and counted \(dropped)")
            }
            print("  announcements \(numbers.synthetic), pending \(numbers.pending), reasons \(numbers.dropped)")
        }
    }
}

/// Takes so many bytes a second, and counts the records of each level.
private final class SlowTransport: WebTrackingTransport {
    private struct State {
        var freeAt: UInt64 = 0
        var counts: [String: Int] = [:]
    }

    private let bytesPerSecond: Int
    private let isHurried = Atomic<Bool>(false)
    private let state = Mutex(State())

    init(bytesPerSecond: Int) { self.bytesPerSecond = bytesPerSecond }

    /// From now on takes everything at once.
    func hurry() { self.isHurried.store(true, ordering: .relaxed) }

    func count(of level: Logger.Level) -> Int { self.state.withLock { $0.counts[level.rawValue] ?? 0 } }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        if !self.isHurried.load(ordering: .relaxed) {
            let now = Samples.now()
            let wait = self.state.withLock { state -> UInt64 in
                let cost = UInt64(request.body.count) * 1_000_000_000 / UInt64(self.bytesPerSecond)
                state.freeAt = max(state.freeAt, now) + cost
                return state.freeAt - now
            }
            try await Task.sleep(for: .nanoseconds(wait))
        }
        var counts: [String: Int] = [:]
        for level in ["info", "warning", "error"] {
            // The library's own records of drops have the level warning, too, and a field of their own.
            counts[level] = Self.occurrences(of: Array("\"level\":\"\(level)\"".utf8), in: request.body)
        }
        self.state.withLock { $0.counts.merge(counts, uniquingKeysWith: +) }
        return TransportResponse(status: 200, headers: [(name: "x-log-requestid", value: "1")])
    }

    private static func occurrences(of text: [UInt8], in body: [UInt8]) -> Int {
        var count = 0
        var position = 0
        while position + text.count <= body.count {
            if body[position] == text[0], body[position..<(position + text.count)].elementsEqual(text) { count += 1 }
            position += 1
        }
        return count
    }
}
