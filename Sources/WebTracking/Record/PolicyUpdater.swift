// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Changes a producer's policy, and makes sure that what a sampler has left out is reported, even if its statements log
/// nothing more.
final class PolicyUpdater: Sendable {
    private let pipeline: RecordPipeline
    private let clock: any ProducerClock
    private let executor: (any TaskExecutor)?
    /// Reports once a second, while sampling is on.
    private let reporter = Lock<Task<Void, Never>?>(nil)
    private let replaced = RetiredSamplers()
    private let isStopped = Atomic(false)

    init(pipeline: RecordPipeline, clock: any ProducerClock, executor: (any TaskExecutor)?) {
        self.pipeline = pipeline
        self.clock = clock
        self.executor = executor
        self.startIfNeeded()
    }

    func change(redaction: Redaction? = nil, sampling: Sampling? = nil) {
        // After the shutdown nothing is sampled: later records are dropped anyway.
        let sampling = self.isStopped.load(ordering: .acquiring) ? .off : sampling
        let policy = self.pipeline.policy
        guard let old = policy.change(redaction: redaction, sampling: sampling) else { return }
        if let sampler = old.sampler, sampler !== policy.current.sampler { self.replaced.add(sampler) }
        self.reportLeftOut()
        self.startIfNeeded()
    }

    /// Reports everything that was left out so far.
    func reportLeftOut() { Self.report(self.pipeline, self.replaced, all: true) }

    /// Reports everything, and ends the sampling.
    func stop() {
        // The task is not needed any more: `change` reports all, and starts no other one, as nothing is sampled then.
        self.cancel()
        // Stored before the change, so that no later change switches the sampling on again.
        self.isStopped.store(true, ordering: .releasing)
        self.change(sampling: .off)
    }

    func cancel() { self.reporter.withLock { $0?.cancel() } }

    private static func report(_ pipeline: RecordPipeline, _ replaced: RetiredSamplers, all: Bool) {
        if let sampler = pipeline.policy.current.sampler { pipeline.reportLeftOut(by: sampler, all: all) }
        for sampler in replaced.all { pipeline.reportLeftOut(by: sampler, all: true) }
    }

    private func startIfNeeded() {
        guard !self.pipeline.policy.current.sampling.rates.isEmpty else { return }
        self.reporter.withLock { task in
            guard task == nil else { return }
            let clock = self.clock
            task = Task.detached(executorPreference: self.executor) { [replaced, weak pipeline = self.pipeline] in
                while !Task.isCancelled {
                    do { try await clock.sleep(until: clock.now() + .seconds(1)) } catch { return }
                    guard let pipeline else { return }
                    Self.report(pipeline, replaced, all: false)
                    replaced.forgetEmpty()
                }
            }
        }
    }
}

/// Samplers that are not in force any more. A thread that read the policy before the change may still offer them a
/// record, and there may have been no room to report what they left out.
private final class RetiredSamplers: Sendable {
    private let samplers = Lock<[Sampler]>([])

    var all: [Sampler] { self.samplers.withLock { $0 } }

    func add(_ sampler: Sampler) { self.samplers.withLock { $0.append(sampler) } }

    func forgetEmpty() { self.samplers.withLock { $0.removeAll(where: \.isEmpty) } }
}
