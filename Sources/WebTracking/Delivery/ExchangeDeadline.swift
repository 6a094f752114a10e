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
        // With `nil` if the call was left behind.
        let exchange = OneShot<Result?>()
        // No child task: this function would have to wait for it, and `call` may never return.
        let task = Task.detached(executorPreference: self.executor) {
            let result = await call()
            if !exchange.set(result) { self.ledger.withLock { $0.returned() } }
        }
        let timer = Task.detached(executorPreference: self.executor) {
            var deadline = self.clock.now() + self.time
            while true {
                do { try await self.clock.sleep(until: deadline) } catch { return }
                if exchange.set(nil, if: { self.ledger.withLock { $0.leave() } }) { return task.cancel() }
                deadline = self.clock.now() + Self.pause
            }
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await exchange.value
        } onCancel: {
            // A detached task is not cancelled together with the one that waits for it.
            task.cancel()
        }
    }
}

extension DeliveryContext {
    /// Sends a request, and returns the verdict on its answer. Its memory stays charged until the transport returns,
    /// even if the call is left behind.
    func exchange(_ made: RequestFactory.Made) async -> (Verdict, ProducerDiagnostic.Failure?) {
        let call: @Sendable () async -> (Verdict, ProducerDiagnostic.Failure?) = {
            defer { self.budget.release(made.heldBytes) }
            return await self.answer(to: made.request)
        }
        guard let deadline = self.exchangeDeadline else { return await call() }
        return await deadline.run(call)
            ?? (.retry(.failed, after: nil), .noAnswer("the transport has not come back, and is left behind"))
    }

    private func answer(to request: TransportRequest) async -> (Verdict, ProducerDiagnostic.Failure?) {
        let sentAt = self.clock.wallTime()
        do {
            // Set in here, since the detached task of the deadline inherits no task-local value.
            let response = try await DeliveryScope.$isInside.withValue(true) {
                try await self.transport.send(request)
            }
            let wallTime = self.clock.wallTime()
            if let difference = self.clockWatch.note(response, sentAt: sentAt, receivedAt: wallTime) {
                self.diagnostics(difference)
            }
            let (verdict, error) = ResponseClassifier.classify(response, wallTime: wallTime)
            return (verdict, error.map { .service($0) })
        } catch {
            return (.retry(.failed, after: nil), .noAnswer(String(describing: error)))
        }
    }
}
