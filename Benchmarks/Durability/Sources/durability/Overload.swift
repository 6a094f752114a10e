// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Synchronization
import WebTracking

/// Ten times what the endpoint takes, with the default memory limit of 64 MiB, beside the same when the endpoint takes all.
enum Overload {
    /// What the endpoint takes, in bytes of JSON a second.
    private static let capacity = 2_000_000
    /// What the process may have in memory besides the records: program, stacks, and the allocator's room.
    private static let overhead = 32 << 20

    /// What is logged in one stretch of time, and what the caller paid.
    private struct Stretch {
        var samples: Samples
        var logged: [Logger.Level: Int] = [:]

        /// 20 records of a kilobyte each millisecond, 20 MB a second.
        mutating func log(to logger: Logger, seconds: Int, from number: inout Int) async throws {
            let padding = String(repeating: "x", count: 900)
            let start = Samples.now()
            let first = number
            while Samples.now() - start < UInt64(seconds) * 1_000_000_000 {
                let due = first + Int((Samples.now() - start) / 50_000)
                while number < due {
                    number += 1
                    let level: Logger.Level = number % 200 == 0 ? .error : number % 20 == 0 ? .warning : .info
                    self.logged[level, default: 0] += 1
                    self.samples.time { logger.log(level: level, "\(number)", metadata: ["padding": "\(padding)"]) }
                }
                try await Task.sleep(for: .milliseconds(1))
            }
        }

        func line(_ name: String) -> String {
            let sorted = self.samples.sorted()
            let row = [0.5, 0.9, 0.99, 0.999].map { "\(sorted.quantile($0))" }
            return Cost.line(name, row)
        }
    }

    static func measure(_ durability: Durability, directory: String, seconds: Int) async throws {
        let transport = SlowTransport(bytesPerSecond: self.capacity)
        var configuration = Main.configuration(durability, directory: directory)
        configuration.compression = .none
        if durability != .memory { configuration.spool.maximumBytes = 64 << 20 }
        let producer = try WebTrackingProducer(
            configuration: configuration,
            transport: transport,
            diagnostics: .none
        )
        let logger = Logger(label: "overload", factory: producer.makeLogHandler(label:))
        let calm = max(seconds / 6, 2)
        var before = Stretch(samples: Samples(capacity: calm * 30_000))
        var overload = Stretch(samples: Samples(capacity: seconds * 30_000))
        var number = 0
        transport.setHurry(true)
        try await before.log(to: logger, seconds: calm, from: &number)
        await producer.flush(timeout: .seconds(60))
        let calmly = producer.statistics
        transport.setHurry(false)
        try await overload.log(to: logger, seconds: seconds, from: &number)
        let peak = processStatus("VmHWM") << 10
        let held = producer.statistics.pendingBytes >> 20
        transport.setHurry(true)
        await producer.shutdown(timeout: .seconds(60))
        let numbers = producer.statistics
        let count = overload.samples.count
        print("\(durability): \(count) records of a kilobyte in \(seconds) s, of which a tenth is taken")
        print("ns          p50     p90     p99   p99.9")
        print(before.line("calm"))
        print(overload.line("overload"))
        print("peak RSS \(peak >> 20) MiB, of which records before the end \(held) MiB")
        var failures: [String] = []
        for level in [Logger.Level.info, .warning, .error] {
            let logged = (before.logged[level] ?? 0) + (overload.logged[level] ?? 0)
            let dropped = numbers.droppedByLevel[level] ?? 0
            let arrived = transport.count(of: level.rawValue)
            print("\(level): logged \(logged), arrived \(arrived), dropped and counted \(dropped)")
            if arrived + dropped != logged { failures.append("\(level) records are not accounted for") }
        }
        let announced = transport.announced
        print("announcements \(numbers.synthetic) of \(announced) drops; reasons \(numbers.dropped)")
        if calmly.totalDropped > 0 { failures.append("records were dropped though all were taken") }
        if numbers.droppedByLevel[.error] ?? 0 > 0 { failures.append("errors were dropped") }
        if numbers.totalDropped == 0 { failures.append("nothing was dropped: this was no overload") }
        if announced != numbers.totalDropped { failures.append("not all drops were announced") }
        if numbers.pending > 0 || numbers.accepted != numbers.delivered + numbers.totalDropped {
            failures.append("accepted is not delivered and dropped")
        }
        if peak > configuration.memoryLimit + self.overhead { failures.append("more memory than allowed") }
        for failure in failures { print("violation: \(failure)") }
        if !failures.isEmpty { exit(1) }
        print("no violation")
    }
}

/// Takes so many bytes a second, and counts the records of each level.
private final class SlowTransport: WebTrackingTransport {
    private struct State {
        var freeAt: UInt64 = 0
        var counts: [String: Int] = [:]
        var announced = 0
    }

    private let bytesPerSecond: Int
    private let isHurried = Atomic<Bool>(false)
    private let state = Mutex(State())

    init(bytesPerSecond: Int) { self.bytesPerSecond = bytesPerSecond }

    /// Whether it takes everything at once.
    func setHurry(_ isHurried: Bool) { self.isHurried.store(isHurried, ordering: .relaxed) }

    /// How many records of a level have arrived, without the library's own.
    func count(of level: String) -> Int { self.state.withLock { $0.counts[level] ?? 0 } }

    /// How many drops the library's own records have told of.
    var announced: Int { self.state.withLock { $0.announced } }

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
            counts[level] = Self.places(of: "\"level\":\"\(level)\",\"label\":\"overload\"", in: request.body).count
        }
        let total = "\"dropped.total\":\""
        let announced = Self.places(of: total, in: request.body).reduce(0) { sum, place in
            let digits = request.body[(place + total.utf8.count)...].prefix { (48...57).contains($0) }
            return sum + (Int(String(decoding: digits, as: UTF8.self)) ?? 0)
        }
        self.state.withLock { state in
            state.counts.merge(counts, uniquingKeysWith: +)
            state.announced += announced
        }
        return TransportResponse(status: 200, headers: [(name: "x-log-requestid", value: "1")])
    }

    private static func places(of text: String, in body: [UInt8]) -> [Int] {
        let text = Array(text.utf8)
        var places: [Int] = []
        var position = 0
        while position + text.count <= body.count {
            if body[position] == text[0], body[position..<(position + text.count)].elementsEqual(text) {
                places.append(position)
            }
            position += 1
        }
        return places
    }
}
