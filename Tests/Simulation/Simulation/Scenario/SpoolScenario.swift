// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// Processes that die and start again.
extension ScenarioMaker {
    /// Producers of one or two spools; those that share one are of the same configuration, as the processes of a service are.
    mutating func spooledProducers(_ count: Int, latency: Duration) -> [ProducerPlan] {
        let spools = count > 1 && self.random.chance(0.2) ? 2 : 1
        var plans: [ProducerPlan] = []
        for spool in 0..<spools {
            let sharing = spool == 0 ? count - (spools - 1) : 1
            var plan = self.producer(among: sharing, latency: latency)
            let isTight = self.random.chance(0.4)
            plan.configuration.durability = .process
            plan.configuration.spool.maximumBytes = isTight ? 1 << 20 : 64 << 20
            if self.random.chance(0.2) {
                plan.configuration.spool.maximumAge = .seconds(self.random.logarithmic(10...3600))
            }
            if isTight { plan.sizes = 100...self.random.logarithmic(1_000...20_000) }
            // The second shutdown of a process would be that of the next one.
            plan.actions.removeAll { if case .shutdown = $0.1 { true } else { false } }
            plan.longestWay = nil
            // What a batch and its marks can come to, and one record that is larger than the share of the bound.
            let largest = max(plan.configuration.spool.maximumBytes / 64, 32 << 10, 4 * plan.sizes.upperBound)
            for _ in 0..<sharing {
                plan.spool = SpoolPlan(name: "spool-\(spool)", lives: self.lives(), largestFile: largest + (16 << 10))
                plans.append(plan)
            }
        }
        return plans
    }

    private mutating func lives() -> [SpoolPlan.Life] { self.family == .crash ? self.crashLoop() : self.restarts() }

    private mutating func restarts() -> [SpoolPlan.Life] {
        let ends = (0..<self.random.int(1...6)).map { _ in self.moment() }.sorted()
        var lives: [SpoolPlan.Life] = []
        var start = Duration.zero
        for end in ends where end > start {
            lives.append(.init(start: start, end: (end, self.end())))
            let pause: Duration = self.random.pick([.zero, .milliseconds(200), .seconds(5), .seconds(60)])
            start = end + self.random.duration(.zero...pause)
        }
        lives.append(.init(start: min(start, self.length), end: nil))
        return lives
    }

    private mutating func crashLoop() -> [SpoolPlan.Life] {
        var lives: [SpoolPlan.Life] = []
        var start = self.random.duration(.zero...self.length / 2)
        for _ in 0..<self.random.logarithmic(4...40) {
            let end = start + self.random.duration(.zero...self.random.pick([.milliseconds(100), .seconds(3)]))
            guard end < self.length else { break }
            lives.append(.init(start: start, end: (end, self.end())))
            start = end + self.random.duration(.zero...self.random.pick([.zero, .seconds(1), .seconds(20)]))
        }
        lives.append(.init(start: min(start, self.length), end: nil))
        return lives
    }

    private mutating func end() -> SpoolPlan.Life.End {
        if self.random.chance(0.15) { return .shutdown(timeout: self.random.duration(.zero ... .seconds(5))) }
        return .kill(steps: self.random.chance(0.5) ? 0 : self.random.logarithmic(1...60))
    }
}
