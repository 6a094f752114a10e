// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
package import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

/// Makes a scenario from a seed, and from what the command line asks for.
package struct ScenarioMaker {
    package struct Options: Sendable {
        package var family: Scenario.Family?
        package var producers: Int?
        package var length: Duration?
        /// The most bursts of records of one producer.
        package var bursts = 2000
        /// Where the directories of spools are made, if not in memory.
        package var spools: String?

        package init() {}
    }

    var random: SeededGenerator
    let family: Scenario.Family
    /// The families of which this one has something.
    private var parts: Set<Scenario.Family> = []
    private(set) var length: Duration
    private let bursts: Int

    private init(random: SeededGenerator, options: Options) {
        var random = random
        let family = Self.family(&random)
        let length = Duration.seconds(random.logarithmic(20...7200))
        self.random = random
        self.family = options.family ?? family
        self.length = options.length ?? length
        self.bursts = options.bursts
        if self.family == .crowd { self.length = options.length ?? min(self.length, .seconds(300)) }
        guard self.isSpooled else { return }
        // What goes wrong beside the deaths.
        self.parts = Set(
            [Scenario.Family.outage, .lossy, .refusal, .limits, .flaky, .slow, .poison].filter { _ in
                self.random.chance(0.4)
            }
        )
        if self.family == .crash {
            self.parts.insert(.outage)
            self.length = options.length ?? min(self.length, .seconds(600))
        }
    }

    /// Thousands of producers are dear, and so are files.
    private static func family(_ random: inout SeededGenerator) -> Scenario.Family {
        let number = random.int(0...999)
        switch number {
        case 0..<8: return .crowd
        case 8..<120: return .spool
        case 120..<200: return .crash
        default:
            let others: [Scenario.Family] = [
                .calm, .outage, .quota, .lossy, .refusal, .limits, .flaky, .memory, .shutdown, .topics, .mixed, .slow,
                .poison,
            ]
            return others[number % others.count]
        }
    }

    private var isSpooled: Bool { self.family == .spool || self.family == .crash }

    package static func scenario(random: SeededGenerator, options: Options = Options()) -> Scenario {
        var maker = ScenarioMaker(random: random, options: options)
        return maker.make(options)
    }

    private func has(_ families: Scenario.Family...) -> Bool {
        families.contains(self.family) || families.contains { self.parts.contains($0) }
    }

    private mutating func make(_ options: Options) -> Scenario {
        var service = ServiceModel.Settings()
        service.shards = self.random.int(1...8)
        service.meanExtraLatency = self.random.pick([.milliseconds(2), .milliseconds(20), .milliseconds(200)])
        service.faults = self.faults()
        service.recovery = self.length
        if self.has(.quota, .mixed) {
            service.shards = self.random.int(1...2)
            service.requestsPerSecond = Double(self.random.logarithmic(1...50))
            service.bytesPerSecond = Double(self.random.logarithmic(4_000...400_000))
        }
        let latency = service.meanExtraLatency
        var drawn = self.random.pick([1, 1, 2, 3, 6])
        if self.has(.crowd) {
            drawn = self.random.int(1000...3000)
        }
        let count = options.producers ?? drawn
        var jumps: [(at: Duration, by: Duration)] = []
        if self.random.chance(0.2) {
            let day = Duration.seconds(86_400)
            for _ in 0..<self.random.int(1...3) {
                jumps.append((self.moment(), self.random.duration(.zero - day...day)))
            }
        }
        return Scenario(
            family: self.family,
            service: service,
            producers: self.isSpooled
                ? self.spooledProducers(count, latency: latency)
                : (0..<count).map { _ in self.producer(among: count, latency: latency) },
            length: self.length,
            slowness: self.random.pick([0, 0.001, 0.02]),
            clockJumps: jumps
        )
    }

    mutating func moment() -> Duration { self.random.duration(.zero...self.length) }

    private mutating func window(upTo longest: Duration) -> Range<Duration> {
        let start = self.moment()
        let end = min(start + self.random.duration(.milliseconds(100)...longest), self.length)
        return start..<max(end, start)
    }

    private mutating func faults() -> [Fault] {
        var faults: [Fault] = []
        let all = Duration.zero..<self.length
        func some(_ random: inout SeededGenerator) -> Double { 0.02 + 0.4 * random.unit() }
        if self.has(.outage, .memory, .shutdown, .mixed, .crowd) {
            for _ in 0..<self.random.int(1...3) {
                let kind = self.random.pick([Fault.Kind.refused, .hang(stores: false), .badGateway, .portal])
                faults.append(Fault(kind, self.window(upTo: .seconds(1800))))
            }
        }
        if self.has(.lossy, .mixed) {
            faults.append(Fault(.lostAnswer, all, probability: some(&self.random)))
            faults.append(Fault(.hang(stores: true), self.window(upTo: .seconds(600)), probability: some(&self.random)))
            faults.append(Fault(.slow(.seconds(8)), all, probability: 0.1 * self.random.unit()))
        }
        if self.has(.refusal, .mixed) {
            for kind in [Fault.Kind.unauthorized, .notFound] where self.random.chance(0.7) {
                let longest = self.random.pick([Duration.seconds(60), .seconds(1200)])
                faults.append(Fault(kind, self.window(upTo: longest)))
            }
            if self.random.chance(0.3) { faults.append(Fault(.refused, self.window(upTo: .seconds(300)))) }
        }
        if self.has(.limits, .mixed) {
            let limit = self.random.logarithmic(1_000...200_000)
            let kind = self.random.pick([
                Fault.Kind.bodyLimit(limit, status: 413), .bodyLimit(limit, status: 400), .proxyLimit(limit),
            ])
            faults.append(Fault(kind, self.random.chance(0.5) ? all : self.window(upTo: .seconds(1800))))
        }
        if self.has(.flaky, .mixed) {
            faults.append(Fault(.unavailable, all, probability: some(&self.random)))
            faults.append(Fault(.badGateway, all, probability: some(&self.random)))
            faults.append(Fault(.refused, all, probability: some(&self.random)))
            if self.random.chance(0.3) { faults.append(Fault(.malformed, all, probability: 0.02)) }
            let pause = self.random.duration(.seconds(1) ... .seconds(1000))
            faults.append(Fault(.retryAfter(pause, asDate: self.random.chance(0.5)), all, probability: 0.02))
        }
        if self.has(.slow) || (self.has(.mixed) && self.random.chance(0.3)) {
            let rate = self.random.logarithmic(2_000...200_000)
            let window = self.random.chance(0.5) ? all : self.window(upTo: .seconds(3600))
            // First what refuses before a byte is carried.
            if self.random.chance(0.5) {
                let kind = self.random.pick([Fault.Kind.refused, .hang(stores: false)])
                faults.append(Fault(kind, self.window(upTo: .seconds(180))))
            }
            faults.append(Fault(.link(bytesPerSecond: rate), window))
        }
        if self.has(.poison) || (self.has(.mixed) && self.random.chance(0.3)) {
            let modulus = self.random.logarithmic(20...2_000)
            faults.append(Fault(.poison(modulus: modulus, byService: self.random.chance(0.5)), all))
            if self.random.chance(0.5) { faults.insert(Fault(.forbidden, self.window(upTo: .seconds(1800))), at: 0) }
        }
        if self.has(.quota, .mixed) {
            faults.append(Fault(.projectQuota, self.window(upTo: .seconds(600)), probability: some(&self.random)))
        }
        return faults
    }

    mutating func producer(among count: Int, latency: Duration) -> ProducerPlan {
        var configuration = WebTrackingConfiguration(endpoint: "cn-simulated", project: "simulation", logstore: "app")
        configuration.source = "simulated"
        configuration.logLevel = .trace
        let seconds = [0, 0.05, 0.2, 1, 2, 2, 2, 10]
        configuration.batching.linger = .seconds(self.random.pick(seconds))
        configuration.batching.targetBytes = self.random.logarithmic(4 << 10...256 << 10)
        configuration.batching.maximumRequestBytes = self.random.logarithmic(64 << 10...3 << 20)
        if self.random.chance(0.3) { configuration.batching.maximumRecords = self.random.logarithmic(10...200) }
        if self.random.chance(0.2) { configuration.batching.urgentLevel = nil }
        configuration.delivery.maximumConcurrentRequests = self.random.pick([1, 2, 8, 8])
        configuration.delivery.requestTimeout = self.random.duration(.seconds(1) ... .seconds(15))
        if self.random.chance(0.5) { configuration.delivery.refusalPatience = .seconds(self.random.int(0...300)) }
        configuration.compression = self.random.pick([.lz4, .lz4, .none, .deflate(level: 1)])
        let isOld = self.has(.outage, .mixed) && self.random.chance(0.2)
        if isOld { configuration.delivery.maximumAge = .seconds(self.random.logarithmic(10...1800)) }

        let isTight = self.has(.memory) || (self.has(.mixed, .shutdown) && self.random.chance(0.3))
        if isTight { configuration.memoryLimit = 1 << 20 }
        let topics = self.has(.topics) ? self.random.int(2...40) : self.random.int(1...4)
        var ownKey = 0.0
        if self.has(.topics) {
            configuration.maximumTopics = self.random.pick([2, 8, 1024])
            configuration.idleTopicTimeout = .seconds(self.random.int(1...30))
            ownKey = self.random.unit()
        }
        switch self.random.int(0...3) {
        case 0: configuration.topic = .fixed("one")
        case 1 where ownKey > 0: configuration.topic = .metadata(key: "k", fallback: "none")
        case 2 where ownKey > 0:
            configuration.topic = .label
            configuration.promotedTags = ["k"]
        default: configuration.topic = .label
        }
        // Some hundred bursts, however long the run is; fewer each where there are many producers.
        let most = self.has(.crowd) ? 12 : max(self.bursts / count, 40)
        let bursts = self.random.logarithmic(min(20, most / 2)...most)
        var actions: [(at: Duration, ProducerPlan.Action)] = []
        for _ in 0..<self.random.int(0...3) {
            actions.append((self.moment(), .flush(timeout: self.random.duration(.milliseconds(10) ... .seconds(60)))))
        }
        if self.has(.shutdown) ? self.random.chance(0.8) : self.random.chance(0.1) {
            for _ in 0..<self.random.int(1...2) {
                let timeout = self.random.duration(.zero ... .seconds(30))
                actions.append((self.moment(), .shutdown(timeout: timeout)))
            }
        }
        let pause = max(self.length / bursts, .milliseconds(1))
        let isQuick = self.has(.calm) && latency < .milliseconds(100) && pause >= .seconds(1)
        return ProducerPlan(
            configuration: configuration,
            labels: (0..<topics).map { "topic\($0)" },
            pause: pause,
            // At most some thousand records, which a roomy memory limit holds whatever happens.
            burst: min(self.random.logarithmic(1...(self.has(.crowd) ? 4 : 30)), max(2 * self.bursts / bursts, 1)),
            sizes: isTight ? 100...self.random.logarithmic(1_000...30_000) : 10...self.random.logarithmic(50...3_000),
            ownKey: ownKey,
            actions: actions,
            longestWay: isQuick ? configuration.batching.linger + .seconds(10) : nil,
            spool: nil,
            isRoomy: !isTight
        )
    }
}
