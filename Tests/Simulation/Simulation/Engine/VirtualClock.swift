// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

package import WebTracking

/// Time that moves only when the simulation moves it, and everything that waits for it.
///
/// Invariant (which makes it sendable): its state is touched on the simulation's thread alone; every entry checks it.
package final class VirtualClock: ProducerClock, @unchecked Sendable {
    private enum Action {
        case wake(CheckedContinuation<Void, any Error>)
        case call(() -> Void)
    }

    private struct Timer {
        var deadline: Int64
        var number: Int

        func precedes(_ other: Timer) -> Bool {
            self.deadline != other.deadline ? self.deadline < other.deadline : self.number < other.number
        }
    }

    /// 2026-01-01T00:00:00Z.
    private static let start: Int64 = 1_767_225_600_000_000_000

    private let thread: SimulationThread
    private var nanoseconds: Int64 = 1_000_000_000
    private var wallOffset: Int64 = VirtualClock.start - 1_000_000_000
    /// A binary heap; timers whose action is gone were cancelled.
    private var heap: [Timer] = []
    private var actions: [Int: Action] = [:]
    private var nextNumber = 0

    package init(thread: SimulationThread) {
        self.thread = thread
    }

    // MARK: For producers

    package func wallTime() -> Int64 {
        self.thread.check()
        return self.nanoseconds + self.wallOffset
    }

    package func now() -> MonotonicInstant {
        self.thread.check()
        return MonotonicInstant(nanoseconds: self.nanoseconds)
    }

    package func sleep(until deadline: MonotonicInstant) async throws {
        self.thread.check()
        let number = self.takeNumber()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                if deadline.nanoseconds <= self.nanoseconds { return continuation.resume() }
                self.push(Timer(deadline: deadline.nanoseconds, number: number), .wake(continuation))
            }
        } onCancel: {
            self.thread.check()
            guard case .wake(let continuation)? = self.actions.removeValue(forKey: number) else { return }
            continuation.resume(throwing: CancellationError())
        }
    }

    // MARK: For the simulation

    /// The time since the simulation's start.
    package var elapsed: Duration { .nanoseconds(self.nanoseconds - 1_000_000_000) }

    /// How many wait.
    package var waiting: Int { self.actions.count }

    /// Calls `action` when the simulation has been running for `elapsed`.
    package func schedule(at elapsed: Duration, _ action: @escaping () -> Void) {
        let deadline = max(elapsed.saturatedNanoseconds + 1_000_000_000, self.nanoseconds)
        self.push(Timer(deadline: deadline, number: self.takeNumber()), .call(action))
    }

    package func schedule(after delay: Duration, _ action: @escaping () -> Void) {
        self.schedule(at: self.elapsed + delay, action)
    }

    /// Forgets what was to be called; who sleeps goes on sleeping.
    package func dropCalls() {
        self.actions = self.actions.filter { if case .wake = $0.value { true } else { false } }
    }

    /// Moves the wall clock alone, as an administrator might.
    package func moveWallTime(by duration: Duration) {
        self.wallOffset += duration.saturatedNanoseconds
    }

    /// Lets time pass without waking anybody yet: threads can be slow.
    package func pass(_ duration: Duration) {
        self.nanoseconds += duration.saturatedNanoseconds
    }

    /// Whether somebody's time has come.
    package var isDue: Bool {
        self.dropCancelled()
        guard let first = self.heap.first else { return false }
        return first.deadline <= self.nanoseconds
    }

    /// Moves to the next deadline, unless it has come already, and wakes the one who waits for it; `false` if nobody does.
    package func fireNext() -> Bool {
        self.dropCancelled()
        guard let timer = self.popFirst(), let action = self.actions.removeValue(forKey: timer.number) else {
            return false
        }
        self.nanoseconds = max(self.nanoseconds, timer.deadline)
        switch action {
        case .wake(let continuation): continuation.resume()
        case .call(let call): call()
        }
        return true
    }

    private func takeNumber() -> Int {
        self.nextNumber += 1
        return self.nextNumber
    }

    // MARK: The heap

    private func dropCancelled() {
        while let first = self.heap.first, self.actions[first.number] == nil { _ = self.popFirst() }
    }

    private func push(_ timer: Timer, _ action: Action) {
        self.actions[timer.number] = action
        self.heap.append(timer)
        var index = self.heap.count - 1
        while index > 0, self.heap[index].precedes(self.heap[(index - 1) / 2]) {
            self.heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private func popFirst() -> Timer? {
        guard let first = self.heap.first, let last = self.heap.popLast() else { return nil }
        guard !self.heap.isEmpty else { return first }
        self.heap[0] = last
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < self.heap.count && self.heap[child].precedes(self.heap[least]) {
                least = child
            }
            guard least != index else { return first }
            self.heap.swapAt(index, least)
            index = least
        }
    }
}
