// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking
import WebTrackingSimulation

/// Runs a range of seeds on some threads, and sums up.
final class SeedRange: Sendable {
    private struct State {
        var next: UInt64
        var left: UInt64
        var working: Int
        var seeds = 0
        var records = 0
        var requests = 0
        var duplicates = 0
        var dropped = 0
        var deaths = 0
        var recovered = 0
        var jobs = 0
        var virtualSeconds = 0.0
        var violations = 0
        var done: CheckedContinuation<Void, Never>?
    }

    private let arguments: Arguments
    private let state: Lock<State>

    init(_ arguments: Arguments) {
        self.arguments = arguments
        self.state = Lock(State(next: arguments.first, left: arguments.seeds, working: arguments.threads))
    }

    /// Runs all seeds, prints what they found, and returns how many broke a rule.
    func run() async -> Int {
        let start = processTimes()
        await withCheckedContinuation { continuation in
            self.state.withLock { $0.done = continuation }
            for thread in 0..<self.arguments.threads {
                SimulationThread.start { [self] in self.work(thread) }
            }
        }
        let end = processTimes()
        return self.state.withLock { state in
            let hours = Int(state.virtualSeconds / 3600)
            print(
                "simulate: \(state.seeds) seeds, \(state.violations) violations; \(state.records) records, "
                    + "\(state.requests) requests, \(state.duplicates) duplicates after lost answers and deaths, "
                    + "\(state.dropped) drops, all counted; \(state.deaths) processes died, and others took over "
                    + "\(state.recovered) records; \(hours) h of virtual time and \(state.jobs) task steps in "
                    + "\(Self.text(end.wall - start.wall)) s (\(Self.text(end.processor - start.processor)) s of CPU)"
            )
            return state.violations
        }
    }

    private func work(_ thread: Int) {
        while let seed = self.takeSeed() {
            CrashReport.note(seed, thread: thread)
            let outcome = Run.run(seed: seed, options: self.arguments.options, trace: self.arguments.traces)
            self.add(outcome)
        }
        CrashReport.note(0, thread: thread)
        let done = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.working -= 1
            return state.working == 0 ? state.done : nil
        }
        done?.resume()
    }

    private func takeSeed() -> UInt64? {
        self.state.withLock { state in
            guard state.left > 0 else { return nil }
            state.left -= 1
            state.next += 1
            return state.next - 1
        }
    }

    private func add(_ outcome: Run.Outcome) {
        self.state.withLock { state in
            state.seeds += 1
            state.records += outcome.records
            state.requests += outcome.requests
            state.duplicates += outcome.duplicates
            state.dropped += outcome.dropped
            state.deaths += outcome.deaths
            state.recovered += outcome.recovered
            state.jobs += outcome.jobs
            state.virtualSeconds += outcome.virtualTime.inSeconds
            if self.arguments.traces { print("digest \(String(outcome.digest, radix: 16))") }
            guard let violation = outcome.violation else { return }
            state.violations += 1
            print("simulate: seed \(outcome.seed) (\(outcome.family)): \(violation)")
            print("  again: Scripts/simulate --from \(outcome.seed) --seeds 1\(self.arguments.replay) --trace")
        }
    }

    private static func text(_ seconds: Double) -> String {
        let tenths = Int(seconds * 10)
        return "\(tenths / 10).\(tenths % 10)"
    }
}
