//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import WebTracking

/// One run of one scenario: real producers, a model of the service, virtual time, and checks at every event.
///
/// Invariant (which makes it sendable): it is made, used and let go on one thread.
package final class Run: @unchecked Sendable {
    /// What came of a run.
    package struct Outcome: Sendable {
        package var seed: UInt64
        package var family: Scenario.Family
        package var digest: UInt64
        package var violation: String?
        package var records = 0
        package var requests = 0
        package var duplicates = 0
        package var dropped = 0
        package var virtualTime = Duration.zero
        package var jobs = 0
    }

    package let scenario: Scenario
    let clock: VirtualClock
    let executor: SimulationExecutor
    let trace: Trace
    private(set) var service: ServiceModel!
    private let seed: UInt64
    private let thread: SimulationThread
    private var random: SeededGenerator
    private var producers: [SimulatedProducer] = []
    private var violation: String?
    private var requests = 0
    /// Grows whenever there is no task that could run.
    private(set) var epoch = 1
    private var jobsInEpoch = 0

    /// How long producers have to deliver what they hold once the service is healthy: more than the longest pause that
    /// a `Retry-After` is granted, and the longest backoff.
    private static let recoveryTime = Duration.seconds(1200)
    /// More than all tasks together can have to do before they all wait for something.
    private static let mostJobs = 5_000_000

    /// Runs the scenario of a seed.
    package static func run(seed: UInt64, options: ScenarioMaker.Options = .init(), trace: Bool = false) -> Outcome {
        var random = SeededGenerator(seed: seed)
        let scenario = ScenarioMaker.scenario(random: random.fork(), options: options)
        let run = Run(scenario: scenario, seed: seed, random: random, trace: trace)
        run.go()
        return run.outcome
    }

    private init(scenario: Scenario, seed: UInt64, random: SeededGenerator, trace: Bool) {
        var random = random
        self.scenario = scenario
        self.seed = seed
        self.thread = SimulationThread()
        self.clock = VirtualClock(thread: self.thread)
        self.executor = SimulationExecutor(thread: self.thread, random: random.fork())
        self.trace = Trace(clock: self.clock, prints: trace)
        let relay = Relay()
        self.service = ServiceModel(
            settings: scenario.service,
            clock: self.clock,
            watcher: relay,
            random: random.fork()
        )
        self.random = random.fork()
        relay.run = self
        do {
            for (index, plan) in scenario.producers.enumerated() {
                self.producers.append(
                    try SimulatedProducer(index: index, plan: plan, run: self, random: random.fork())
                )
            }
        } catch {
            self.violation = "the scenario does not work: \(error)"
        }
    }

    private func go() {
        for producer in self.producers { producer.start() }
        for (moment, distance) in self.scenario.clockJumps {
            self.clock.schedule(at: moment) { [unowned self] in self.clock.moveWallTime(by: distance) }
        }
        self.clock.schedule(at: self.scenario.length + Self.recoveryTime) { [unowned self] in self.finish() }
        while self.violation == nil, self.step() {}
        guard self.violation == nil else { return }
        for producer in self.producers { self.guarded(producer.index) { try producer.checkEnd() } }
    }

    /// Runs a task or lets time go on to the next deadline; `false` if there is nothing more to do.
    private func step() -> Bool {
        if self.executor.isIdle {
            self.epoch += 1
            self.jobsInEpoch = 0
            return self.clock.fireNext()
        }
        self.jobsInEpoch += 1
        if self.jobsInEpoch > Self.mostJobs { self.guarded { throw Violation("the tasks run and run") } }
        // What is due and what can run race, as they do on several threads.
        if self.clock.isDue && self.random.chance(0.5) { return self.clock.fireNext() }
        if self.scenario.slowness > 0 && self.random.chance(self.scenario.slowness) {
            self.clock.pass(self.random.duration(.zero ... .milliseconds(100)))
        }
        return self.executor.runOne()
    }

    /// All producers have had their time to deliver: whatever they still hold, they keep for no reason.
    private func finish() {
        for producer in self.producers {
            self.guarded(producer.index) { try producer.checkDrained() }
            producer.shutDown(timeout: .seconds(60))
        }
    }

    private var outcome: Outcome {
        Outcome(
            seed: self.seed,
            family: self.scenario.family,
            digest: self.trace.digest,
            violation: self.violation,
            records: self.producers.reduce(0) { $0 + $1.ledger.logged.count },
            requests: self.requests,
            duplicates: self.producers.reduce(0) { $0 + $1.ledger.duplicates },
            dropped: self.producers.reduce(0) { $0 + $1.producer.statistics.totalDropped },
            virtualTime: self.clock.elapsed,
            jobs: self.executor.jobs
        )
    }

    /// Notes the first rule that `body` finds broken; the run ends there.
    func guarded(_ index: Int? = nil, _ body: () throws -> Void) {
        do { try body() } catch {
            guard self.violation == nil else { return }
            let place = index.map { "producer \($0), " } ?? ""
            self.violation = "\(place)at \(self.clock.elapsed.clockText): \(error)"
        }
    }

    func diagnose(_ diagnostic: ProducerDiagnostic, of index: Int) {
        self.producers[index].diagnose(diagnostic)
    }

    /// Takes the service's events to the producers' books.
    private final class Relay: ServiceWatcher {
        weak var run: Run?

        func began(_ exchange: Exchange) {
            self.with(exchange, "request") { try $0.ledger.began(exchange, plan: $0.plan) }
            self.run?.requests += 1
        }

        func stored(_ exchange: Exchange) {
            self.with(exchange, "stored") { try $0.ledger.stored(exchange.id) }
        }

        func ended(_ exchange: Exchange, _ ending: ExchangeEnding) {
            self.with(exchange, "ended") { [run] in
                guard let run else { return }
                let earliest = $0.plan.longestWay.map { run.clock.elapsed - $0 }
                try $0.ledger.ended(exchange.id, ending, epoch: run.epoch, earliest: earliest)
            }
            if case .answered(let status) = ending { self.run?.trace.note("status", status) }
        }

        private func with(_ exchange: Exchange, _ what: StaticString, _ body: (SimulatedProducer) throws -> Void) {
            guard let run = self.run else { return }
            run.trace.note(what, exchange.producer, exchange.id, exchange.rawSize)
            let producer = run.producers[exchange.producer]
            run.guarded(exchange.producer) {
                try body(producer)
                try producer.check()
            }
        }
    }
}
