// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// Many small producers and one logstore, through an outage: what they ask of the service, and what it takes.
///
/// Invariant (which makes it sendable): it is made, used and let go on one thread.
package final class Fleet: @unchecked Sendable {
    package struct Settings: Sendable {
        /// The size of the fleet that the shards stand for; one of another size meets shards of another size.
        package static let whole = 10_000

        package var producers = Settings.whole
        package var shards = 4
        /// The size of a message; a record has some 200 bytes more.
        package var messageBytes = 300
        /// The mean time between two records of a producer.
        package var pause = Duration.seconds(2)
        package var outage = Duration.seconds(90)..<Duration.seconds(690)
        package var length = Duration.seconds(1530)
        package var interval = Duration.seconds(10)
        package var seed: UInt64 = 1

        package init() {}
    }

    /// What happened in one interval, and how old was what was held at its end.
    package struct Sample: Sendable {
        package var second = 0
        package var offeredRequests = 0
        package var acceptedRequests = 0
        package var throttledRequests = 0
        package var unansweredRequests = 0
        package var offeredBytes = 0
        package var acceptedBytes = 0
        /// How old the oldest record of a producer is, in seconds: in the middle, and for the 99th of 100 producers.
        package var medianAge = 0.0
        package var highAge = 0.0
    }

    /// What came of a fleet.
    package struct Outcome: Sendable {
        package var samples: [Sample]
        /// Records that were logged, and of those the ones that were dropped.
        package var accepted = 0
        package var dropped = 0
    }

    /// So many producers are asked for the ages of their records: asking all takes longer than all that they do.
    private static let asked = 1000

    private let settings: Settings
    private let clock: VirtualClock
    private let executor: SimulationExecutor
    private let watcher: Counter
    private var random: SeededGenerator
    private var producers: [WebTrackingProducer] = []
    private var sinks: [WebTrackingLogHandler] = []
    private var samples: [Sample] = []
    private var isOver = false
    private let text: String

    /// Runs a fleet and returns what was seen of it. It is not taken down: what it holds is the process's until that ends.
    package static func run(_ settings: Settings) throws -> Outcome {
        let fleet = try Fleet(settings)
        fleet.go()
        let numbers = fleet.producers.map(\.statistics)
        return Outcome(
            samples: fleet.samples,
            accepted: numbers.reduce(0) { $0 + $1.accepted },
            dropped: numbers.reduce(0) { $0 + $1.totalDropped }
        )
    }

    private init(_ settings: Settings) throws {
        var random = SeededGenerator(seed: settings.seed)
        let thread = SimulationThread()
        self.settings = settings
        self.clock = VirtualClock(thread: thread)
        self.executor = SimulationExecutor(thread: thread, random: random.fork())
        self.watcher = Counter()
        let sentence = String(repeating: "The quick brown fox jumps over the lazy dog. ", count: 100)
        self.text = String(sentence.prefix(settings.messageBytes))
        var model = ServiceModel.Settings()
        model.shards = settings.shards
        // A tenth of the fleet meets a tenth of each shard: the same picture in a tenth of the time.
        let scale = Double(settings.producers) / Double(Settings.whole)
        model.requestsPerSecond *= scale
        model.bytesPerSecond *= scale
        // Half of the requests find nobody who listens, the others nobody who answers.
        model.faults = [
            Fault(.refused, settings.outage, probability: 0.5), Fault(.hang(stores: false), settings.outage),
        ]
        let service = ServiceModel(settings: model, clock: self.clock, watcher: self.watcher, random: random.fork())
        self.random = random.fork()
        for index in 0..<settings.producers {
            var configuration = WebTrackingConfiguration(endpoint: "cn-fleet", project: "fleet", logstore: "app")
            configuration.source = "host-\(index)"
            configuration.topic = .fixed("topic")
            // Quotas count bytes before compression, so it would cost time and change nothing.
            configuration.compression = .none
            let jitter = Jitter(random: random.fork())
            let producer = try WebTrackingProducer(
                configuration: configuration,
                transport: service.transport(for: index),
                diagnostics: .none,
                clock: self.clock,
                observer: SilentObserver(),
                random: { jitter.next() },
                executor: self.executor
            )
            self.producers.append(producer)
            self.sinks.append(producer.makeLogHandler(label: "fleet"))
        }
    }

    private func go() {
        for index in self.sinks.indices { self.scheduleRecord(index) }
        self.scheduleSample(1)
        while !self.isOver {
            if !self.executor.runOne() && !self.clock.fireNext() { break }
        }
    }

    private func scheduleRecord(_ index: Int) {
        self.clock.schedule(after: self.random.exponential(mean: self.settings.pause)) { [unowned self] in
            self.sinks[index].log(
                event: LogEvent(
                    level: .info,
                    message: "\(self.text)",
                    metadata: ["request": "4d1f"],
                    source: "Fleet",
                    file: #fileID,
                    function: #function,
                    line: #line
                )
            )
            self.scheduleRecord(index)
        }
    }

    private func scheduleSample(_ number: Int) {
        self.clock.schedule(at: self.settings.interval * number) { [unowned self] in
            self.takeSample()
            guard self.clock.elapsed < self.settings.length else {
                self.isOver = true
                return
            }
            self.scheduleSample(number + 1)
        }
    }

    private func takeSample() {
        var sample = self.watcher.take()
        sample.second = Int(self.clock.elapsed.inSeconds)
        let step = max(self.producers.count / Self.asked, 1)
        let ages = stride(from: 0, to: self.producers.count, by: step).map { index in
            self.producers[index].statistics.oldestAge.inSeconds
        }.sorted()
        sample.medianAge = ages[ages.count / 2]
        sample.highAge = ages[ages.count * 99 / 100]
        self.samples.append(sample)
    }

    /// Counts what the service sees.
    private final class Counter: ServiceWatcher {
        private var sample = Sample()

        func take() -> Sample {
            defer { self.sample = Sample() }
            return self.sample
        }

        func began(_ exchange: Exchange) {
            self.sample.offeredRequests += 1
            self.sample.offeredBytes += exchange.rawSize
        }

        func stored(_ exchange: Exchange) {
            self.sample.acceptedRequests += 1
            self.sample.acceptedBytes += exchange.rawSize
        }

        func ended(_ exchange: Exchange, _ ending: ExchangeEnding) {
            switch ending {
            case .answered(403, _): self.sample.throttledRequests += 1
            case .noAnswer, .timedOut: self.sample.unansweredRequests += 1
            default: break
            }
        }
    }

    private final class Jitter: @unchecked Sendable {
        // Touched on the simulation's thread alone.
        private var random: SeededGenerator

        init(random: SeededGenerator) {
            self.random = random
        }

        func next() -> Double { self.random.unit() }
    }
}
