// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

package import WebTrackingTestKit

/// Runs all tasks of a simulation on one thread, and lets the seed choose which is next.
///
/// Invariant (which makes it sendable): its state is touched on the simulation's thread alone; ``add(_:of:)`` checks it.
package final class SimulationExecutor: TaskExecutor, @unchecked Sendable {
    private struct Entry {
        var job: UnownedJob
        var executor: UnownedTaskExecutor
        /// The simulated process that the job belongs to, if there is more than one.
        var process: ObjectIdentifier?
    }

    private let thread: SimulationThread
    private var runnable: [Entry] = []
    private var random: SeededGenerator
    /// How many jobs have run.
    package private(set) var jobs = 0

    package init(thread: SimulationThread, random: SeededGenerator) {
        self.thread = thread
        self.random = random
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        self.thread.check()
        self.runnable.append(
            Entry(job: UnownedJob(job), executor: self.asUnownedTaskExecutor(), process: nil)
        )
    }

    fileprivate func add(_ job: UnownedJob, of process: ProcessExecutor) {
        self.thread.check()
        self.runnable.append(
            Entry(job: job, executor: process.asUnownedTaskExecutor(), process: ObjectIdentifier(process))
        )
    }

    /// Takes out the jobs of a process.
    fileprivate func remove(_ process: ProcessExecutor) -> [UnownedJob] {
        defer { self.runnable.removeAll { $0.process == ObjectIdentifier(process) } }
        return self.runnable.filter { $0.process == ObjectIdentifier(process) }.map(\.job)
    }

    package var isIdle: Bool { self.runnable.isEmpty }

    /// Runs one of the jobs that can run; `false` if there is none.
    package func runOne() -> Bool {
        guard !self.runnable.isEmpty else { return false }
        let index = self.runnable.count == 1 ? 0 : self.random.index(self.runnable.count)
        self.runnable.swapAt(index, self.runnable.count - 1)
        let entry = self.runnable.removeLast()
        self.jobs += 1
        entry.job.runSynchronously(on: entry.executor)
        return true
    }
}

/// The tasks of one simulated process, which can die: after that none of them runs, wherever it was.
///
/// Invariant (which makes it sendable): its state is touched on the simulation's thread alone.
final class ProcessExecutor: TaskExecutor, @unchecked Sendable {
    private let scheduler: SimulationExecutor
    private(set) var isDead = false
    /// What would have run after the death.
    private var held: [UnownedJob] = []

    init(scheduler: SimulationExecutor) {
        self.scheduler = scheduler
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if self.isDead { self.held.append(job) } else { self.scheduler.add(job, of: self) }
    }

    /// Stops all tasks where they are.
    func die() {
        self.isDead = true
        self.held += self.scheduler.remove(self)
    }

    /// Lets the tasks run to their ends, so that what they hold is given back; only when the run is over.
    func unwind() {
        self.isDead = false
        for job in self.held { self.scheduler.add(job, of: self) }
        self.held = []
    }
}
