//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Changes a producer's policy, and sees to it that what a sampler has left out is told of, also when its statements have
/// fallen silent.
final class PolicyKeeper: Sendable {
    private let pipeline: RecordPipeline
    private let clock: any ProducerClock
    private let executor: (any TaskExecutor)?
    /// Tells once a second, while there is sampling.
    private let teller = Lock<Task<Void, Never>?>(nil)

    init(pipeline: RecordPipeline, clock: any ProducerClock, executor: (any TaskExecutor)?) {
        self.pipeline = pipeline
        self.clock = clock
        self.executor = executor
        self.startIfNeeded()
    }

    func change(redaction: Redaction? = nil, sampling: Sampling? = nil) {
        guard let old = self.pipeline.policy.change(redaction: redaction, sampling: sampling) else { return }
        if let sampler = old.sampler { self.pipeline.tellLeftOut(by: sampler, all: true) }
        self.startIfNeeded()
    }

    /// Tells of everything that was left out so far.
    func tellLeftOut() {
        if let sampler = self.pipeline.policy.current.sampler { self.pipeline.tellLeftOut(by: sampler, all: true) }
    }

    /// Tells of everything, and nothing after that.
    func stop() {
        self.cancel()
        self.tellLeftOut()
    }

    func cancel() { self.teller.withLock { $0?.cancel() } }

    private func startIfNeeded() {
        guard !self.pipeline.policy.current.sampling.rates.isEmpty else { return }
        self.teller.withLock { task in
            guard task == nil else { return }
            let clock = self.clock
            task = Task.detached(executorPreference: self.executor) { [weak pipeline = self.pipeline] in
                while !Task.isCancelled {
                    do { try await clock.sleep(until: clock.now() + .seconds(1)) } catch { return }
                    guard let pipeline else { return }
                    if let sampler = pipeline.policy.current.sampler { pipeline.tellLeftOut(by: sampler, all: false) }
                }
            }
        }
    }
}
