// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The producer's own deadline for requests, later than the transport's: a silent transport blocks no topic for ever.
///
/// A late call is cancelled and left behind: its request counts as failed, but may still arrive, after later requests
/// of its topic. At most `limit` calls are left behind; beyond that, a topic waits until its call returns.
final class ExchangeDeadline: Sendable {
    /// How many calls have been left behind and have not returned, and whether one more may be.
    struct Ledger: Sendable {
        let limit: Int
        private(set) var leftBehind = 0

        init(limit: Int) { self.limit = limit }

        /// Notes that a call is left behind; `false` if there are too many already.
        mutating func leave() -> Bool {
            guard self.leftBehind < self.limit else { return false }
            self.leftBehind += 1
            return true
        }

        /// Notes that a call that was left behind has returned.
        mutating func returned() { self.leftBehind -= 1 }
    }

    /// A call is left behind this long after the transport's own timeout.
    static let grace = Duration.seconds(5)
    /// If a late call cannot be left behind, this long until the next try.
    private static let pause = Duration.seconds(1)

    private let clock: any ProducerClock
    private let time: Duration
    private let executor: (any TaskExecutor)?
    private let ledger: Lock<Ledger>

    init(time: Duration, limit: Int, clock: any ProducerClock, executor: (any TaskExecutor)?) {
        self.clock = clock
        self.time = time
        self.executor = executor
        self.ledger = Lock(Ledger(limit: limit))
    }

    /// How many calls have been left behind and have not returned.
    var leftBehind: Int { self.ledger.withLock { $0.leftBehind } }

    /// Returns the result of `call`; `nil` if it is left behind. Cancelling the task cancels the call, but waits for it.
    func run<Result: Sendable>(_ call: @escaping @Sendable () async -> Result) async -> Result? {
        let exchange = Exchange<Result>()
        // No child task: this function would have to wait for it, and `call` may never return.
        let task = Task.detached(executorPreference: self.executor) {
            let result = await call()
            if !exchange.end(with: result) { self.ledger.withLock { $0.returned() } }
        }
        let timer = Task.detached(executorPreference: self.executor) {
            var deadline = self.clock.now() + self.time
            while true {
                do { try await self.clock.sleep(until: deadline) } catch { return }
                if exchange.leave(if: { self.ledger.withLock { $0.leave() } }) { return task.cancel() }
                deadline = self.clock.now() + Self.pause
            }
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await exchange.result
        } onCancel: {
            task.cancel()
        }
    }
}

/// One call, which ends or is left behind.
private final class Exchange<Result: Sendable>: Sendable {
    private enum State {
        case running(CheckedContinuation<Result?, Never>?)
        /// With `nil` if it was left behind.
        case over(Result?)
    }

    private let state = Lock(State.running(nil))

    /// Ends the call; `false` if it had been left behind.
    func end(with result: Result) -> Bool { self.finish(with: result) { true } }

    /// Leaves the call behind if it has not ended, and `mayLeave` allows it.
    func leave(if mayLeave: () -> Bool) -> Bool { self.finish(with: nil, if: mayLeave) }

    private func finish(with result: Result?, if mayFinish: () -> Bool) -> Bool {
        let (isFirst, waiter) = self.state.withLock { state -> (Bool, CheckedContinuation<Result?, Never>?) in
            // The end and the deadline race. `mayFinish` counts, so it must not run once the call has ended.
            guard case .running(let waiter) = state, mayFinish() else { return (false, nil) }
            state = .over(result)
            return (true, waiter)
        }
        waiter?.resume(returning: result)
        return isFirst
    }

    /// Waits for the result; `nil` if the call was left behind. Only one task may wait.
    var result: Result? {
        get async {
            await withCheckedContinuation { continuation in
                let over = self.state.withLock { state -> Result?? in
                    // The call may have ended before this task waits.
                    if case .over(let result) = state { return .some(result) }
                    state = .running(continuation)
                    return nil
                }
                if let over { continuation.resume(returning: over) }
            }
        }
    }
}
