//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Runs all tasks of a simulation on one thread, and lets the seed choose which is next.
///
/// Invariant (which makes it sendable): its state is touched on the simulation's thread alone; ``enqueue(_:)`` checks it.
package final class SimulationExecutor: TaskExecutor, @unchecked Sendable {
    private let thread: SimulationThread
    private var runnable: [UnownedJob] = []
    private var random: SeededGenerator
    /// How many jobs have run.
    package private(set) var jobs = 0

    package init(thread: SimulationThread, random: SeededGenerator) {
        self.thread = thread
        self.random = random
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        self.thread.check()
        self.runnable.append(UnownedJob(job))
    }

    package var isIdle: Bool { self.runnable.isEmpty }

    /// Runs one of the jobs that can run; `false` if there is none.
    package func runOne() -> Bool {
        guard !self.runnable.isEmpty else { return false }
        let index = self.runnable.count == 1 ? 0 : self.random.index(self.runnable.count)
        self.runnable.swapAt(index, self.runnable.count - 1)
        let job = self.runnable.removeLast()
        self.jobs += 1
        job.runSynchronously(on: self.asUnownedTaskExecutor())
        return true
    }
}
