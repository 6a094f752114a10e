// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingTestKit

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
        package var recovered = 0
        package var deaths = 0
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
    let books = Books()
    private let spools: SpoolDirectory?
    /// Processes that are about to die, and how many task steps are left to them.
    private var deaths: [(steps: Int, producer: SimulatedProducer)] = []
    private var died = 0
    /// Nobody looks any more; what still runs only comes to its end.
    private(set) var isOver = false
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
        let run = Run(scenario: scenario, seed: seed, random: random, spools: options.spools, trace: trace)
        run.go()
        let outcome = run.outcome
        run.unwind()
        return outcome
    }

    private init(scenario: Scenario, seed: UInt64, random: SeededGenerator, spools: String?, trace: Bool) {
        var random = random
        self.scenario = scenario
        self.seed = seed
        self.thread = SimulationThread()
        self.clock = VirtualClock(thread: self.thread)
        self.executor = SimulationExecutor(thread: self.thread, random: random.fork())
        self.trace = Trace(clock: self.clock, prints: trace)
        self.spools = scenario.producers.contains { $0.spool != nil } ? SpoolDirectory(in: spools) : nil
        let relay = Relay()
        self.service = ServiceModel(
            settings: scenario.service,
            clock: self.clock,
            watcher: relay,
            random: random.fork()
        )
        self.random = random.fork()
        relay.run = self
        for plan in scenario.producers {
            for life in plan.spool?.lives ?? [] {
                let random = random.fork()
                self.clock.schedule(at: life.start) { [unowned self] in
                    self.launch(plan, life: life, random: random)?.start()
                }
            }
            if plan.spool == nil { self.launch(plan, life: nil, random: random.fork()) }
        }
    }

    @discardableResult
    private func launch(_ plan: ProducerPlan, life: SpoolPlan.Life?, random: SeededGenerator) -> SimulatedProducer? {
        do {
            let index = self.producers.count
            let producer = try SimulatedProducer(index: index, plan: plan, life: life, run: self, random: random)
            self.producers.append(producer)
            return producer
        } catch {
            self.violation = "the scenario does not work: \(error)"
            return nil
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
        for name in Set(self.scenario.producers.compactMap(\.spool?.name)).sorted() {
            self.guarded { try self.checkEnd(ofSpool: name) }
        }
    }

    /// The rules for producers that share a spool: no record is nowhere, each death of which there was word was told, and
    /// nothing is left.
    private func checkEnd(ofSpool name: String) throws {
        let sharing = self.producers.filter { $0.plan.spool?.name == name }
        let ledgers = sharing.map(\.ledger)
        let numbers = sharing.map { $0.producer.statistics }
        let deaths = ledgers.count(where: \.leavesWord)
        let told = numbers.reduce(0) { $0 + $1.unexpectedExits }
        guard told == deaths else { throw Violation("in \(name) \(told) deaths of \(deaths) were told") }
        // A record that tells can be dropped like any other.
        let untold = ledgers.count { $0.leavesWord && !$0.isTold }
        try ProducerChecks.checkWhereabouts(of: ledgers, counted: numbers, untold: untold)
        let left = self.spools?.names(in: name) ?? []
        guard left.isEmpty else { throw Violation("in the end there is in \(name): \(left.joined(separator: ", "))") }
    }

    /// Lets all tasks come to their ends: one that is suspended for ever holds its producer for ever.
    private func unwind() {
        self.isOver = true
        self.spools?.remove()
        self.clock.dropCalls()
        for producer in self.producers { producer.unwind() }
        var steps = 0
        while steps < Self.mostJobs, self.executor.runOne() || self.clock.fireNext() { steps += 1 }
        precondition(self.executor.isIdle && self.clock.waiting == 0, "a task does not come to its end")
        self.spools?.remove()
    }

    // MARK: Spools and deaths

    func spoolPath(_ name: String) -> String { "\(self.spools?.path ?? "")/\(name)" }

    /// The folders of a spool, and the bytes of their files.
    func folders(of spool: String) -> [(name: String, bytes: Int)] {
        guard let spools = self.spools else { return [] }
        return spools.names(in: spool).map { ($0, spools.bytes(in: "\(spool)/\($0)")) }
    }

    /// How many processes of a spool may have files that no look has brought down to the bound: those that live, and those
    /// that died since the last one that looked has started.
    func makers(of spool: String) -> Int {
        let sharing = self.producers.filter { $0.plan.spool?.name == spool }
        let last = sharing.filter(\.hasLooked).map(\.startedAt).max() ?? .zero
        return sharing.count { producer in producer.diedAt.map { $0 >= last } ?? true }
    }

    /// Kills a process when so many more task steps have been taken, or nothing is left to do.
    func kill(_ producer: SimulatedProducer, after steps: Int) {
        guard !self.isOver else { return }
        self.deaths.append((steps, producer))
    }

    private func carryOutDeaths() {
        let due = self.deaths.filter { $0.steps <= 0 || self.executor.isIdle }
        self.deaths.removeAll { $0.steps <= 0 || self.executor.isIdle }
        for (_, producer) in due {
            self.died += 1
            self.guarded(producer.index) { try producer.die() }
        }
        for index in self.deaths.indices { self.deaths[index].steps -= 1 }
    }

    /// Runs a task or lets time go on to the next deadline; `false` if there is nothing more to do.
    private func step() -> Bool {
        if !self.deaths.isEmpty { self.carryOutDeaths() }
        if self.executor.isIdle {
            for producer in self.producers { self.guarded(producer.index) { try producer.checkMemory() } }
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
            recovered: self.producers.reduce(0) { $0 + $1.producer.statistics.recovered },
            deaths: self.died,
            virtualTime: self.clock.elapsed,
            jobs: self.executor.jobs
        )
    }

    /// Notes the first rule that `body` finds broken; the run ends there.
    func guarded(_ index: Int? = nil, _ body: () throws -> Void) {
        guard !self.isOver else { return }
        do { try body() } catch {
            guard self.violation == nil else { return }
            let place = index.map { "producer \($0), " } ?? ""
            self.violation = "\(place)at \(self.clock.elapsed.clockText): \(error)"
        }
    }

    func diagnose(_ diagnostic: ProducerDiagnostic, of index: Int) {
        // What a producer says while it is made is not for the books.
        guard self.producers.indices.contains(index) else { return }
        self.producers[index].diagnose(diagnostic)
    }

    /// Takes the service's events to the producers' books.
    private final class Relay: ServiceWatcher {
        weak var run: Run?

        func began(_ exchange: Exchange) {
            self.with(exchange, "request") { try $0.ledger.began(exchange) }
            self.run?.requests += 1
        }

        func stored(_ exchange: Exchange) {
            self.with(exchange, "stored") { try $0.ledger.stored(exchange.id) }
        }

        func ended(_ exchange: Exchange, _ ending: ExchangeEnding) {
            self.with(exchange, "ended") { [run] in
                guard let run else { return }
                let earliest = $0.plan.longestWay.map { run.clock.elapsed - $0 }
                let now = run.clock.elapsed
                try $0.ledger.ended(exchange.id, ending, at: now, epoch: run.epoch, earliest: earliest)
            }
            if case .answered(let status, _) = ending, self.run?.isOver == false {
                self.run?.trace.note("status", status)
            }
        }

        private func with(_ exchange: Exchange, _ what: StaticString, _ body: (SimulatedProducer) throws -> Void) {
            guard let run = self.run, !run.isOver else { return }
            run.trace.note(what, exchange.producer, exchange.id, exchange.rawSize)
            let producer = run.producers[exchange.producer]
            run.guarded(exchange.producer) {
                try body(producer)
                try producer.check()
            }
        }
    }
}
