// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// The credentials for signing. Asks the provider when they are about to expire or were refused, once for all waiting
/// tasks.
actor CredentialsSource {
    private struct Held {
        var credentials: WebTrackingCredentials
        /// Nanoseconds since 1970 from which on they are renewed while they are used, and not used any more.
        var renewal: Int64
        var expiration: Int64
        var isRefused = false
    }

    private struct Call {
        var id: Int
        var request: Task<Void, Never>
        var limit: Task<Void, Never>
        /// Whether no task waits for it any more: it was cancelled, but has not ended.
        var isOverdue = false
    }

    private enum State {
        case fresh
        /// To be renewed soon, but still valid.
        case aging
        case unusable
    }

    private let provider: any WebTrackingCredentialsProvider
    private let clock: any ProducerClock
    private let time: ServerTime
    /// How long the provider may take.
    private let timeout: Duration
    private let diagnostics: @Sendable (ProducerDiagnostic) -> Void

    private var held: Held?
    private var call: Call?
    /// How the last call ended, and when.
    private var last: (at: MonotonicInstant, failure: SigningError?)?
    private var waiters: [Int: CheckedContinuation<WebTrackingCredentials, any Error>] = [:]
    private var lastID = 0

    init(
        provider: any WebTrackingCredentialsProvider,
        clock: any ProducerClock,
        time: ServerTime,
        timeout: Duration,
        diagnostics: @escaping @Sendable (ProducerDiagnostic) -> Void
    ) {
        self.provider = provider
        self.clock = clock
        self.time = time
        self.timeout = timeout
        self.diagnostics = diagnostics
    }

    /// Credentials that should be valid. They are not `refused`, unless the provider has no others.
    ///
    /// Throws ``SigningError`` if there are none.
    func credentials(insteadOf refused: WebTrackingCredentials? = nil) async throws -> WebTrackingCredentials {
        if let refused, self.held?.credentials.signsLike(refused) == true { self.held?.isRefused = true }
        switch (self.state, self.held) {
        case (.fresh, let held?):
            return held.credentials
        case (.aging, let held?):
            // The provider is left alone for longer: nothing waits for it yet.
            if !self.wasAsked(within: .seconds(10)) { self.ask() }
            return held.credentials
        case (_, let held):
            // One call at a time, even if the provider ignores the cancellation.
            if self.call?.isOverdue == true, let failure = self.last?.failure { throw failure }
            if self.call == nil, self.wasAsked(within: .seconds(1)) {
                if let failure = self.last?.failure { throw failure }
                // The provider has just said that there is nothing better.
                if let held { return held.credentials }
            }
            self.ask()
            return try await self.answer()
        }
    }

    private var state: State {
        guard let held = self.held, !held.isRefused else { return .unusable }
        let now = self.time.now
        return now >= held.expiration ? .unusable : now >= held.renewal ? .aging : .fresh
    }

    private func wasAsked(within interval: Duration) -> Bool {
        self.last.map { self.clock.now() < $0.at + interval } ?? false
    }

    private func nextID() -> Int {
        self.lastID += 1
        return self.lastID
    }

    /// Calls the provider, unless a call is running.
    private func ask() {
        guard self.call == nil else { return }
        let id = self.nextID()
        let deadline = self.clock.now() + self.timeout
        // Detached: the call is for all that wait, and goes on when one of them is cancelled.
        let request = Task.detached { [provider] in
            do {
                await self.end(id, .success(try await provider.credentials()))
            } catch {
                await self.end(id, .failure(.providerFailed(ServiceError.line(String(describing: error)))))
            }
        }
        let limit = Task.detached { [clock, timeout] in
            do { try await clock.sleep(until: deadline) } catch { return }
            await self.timeOut(id, after: timeout)
        }
        self.call = Call(id: id, request: request, limit: limit)
    }

    /// The call has ended. A result after its limit does not count.
    private func end(_ id: Int, _ result: Result<WebTrackingCredentials, SigningError>) {
        guard let call = self.call, call.id == id else { return }
        call.limit.cancel()
        self.call = nil
        if !call.isOverdue { self.answer(result) }
    }

    /// The call has not ended in time.
    private func timeOut(_ id: Int, after timeout: Duration) {
        guard let call = self.call, call.id == id else { return }
        self.call?.isOverdue = true
        call.request.cancel()
        self.answer(.failure(.providerTimedOut(timeout)))
    }

    /// Gives the result to all waiting tasks.
    private func answer(_ result: Result<WebTrackingCredentials, SigningError>) {
        let outcome = result.flatMap { found in
            let credentials = found.withoutLineEnds
            return credentials.problem.map { .failure(.unusable($0.reason)) } ?? .success(credentials)
        }
        let waiters = self.waiters.values
        self.waiters = [:]
        switch outcome {
        case .success(let credentials):
            self.last = (self.clock.now(), nil)
            self.hold(credentials)
            for waiter in waiters { waiter.resume(returning: credentials) }
        case .failure(let failure):
            self.last = (self.clock.now(), failure)
            self.diagnostics(.credentialsUnavailable(reason: failure.description))
            for waiter in waiters { waiter.resume(throwing: failure) }
        }
    }

    private func hold(_ credentials: WebTrackingCredentials) {
        // Even if they are the refused ones: the provider has no others, and the service may accept them later.
        guard let seconds = credentials.expiration else {
            self.held = Held(credentials: credentials, renewal: .max, expiration: .max)
            return
        }
        let expiration = seconds.saturatingMultiply(1_000_000_000)
        let rest = max(expiration.saturatingSubtract(self.time.now), 0)
        // Five minutes ahead; credentials of a short life in the last fifth of it.
        let renewal = expiration.saturatingSubtract(min(rest / 5, 300_000_000_000))
        self.held = Held(credentials: credentials, renewal: renewal, expiration: expiration)
    }

    /// Waits for the running call.
    private func answer() async throws -> WebTrackingCredentials {
        let id = self.nextID()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    self.waiters[id] = continuation
                }
            }
        } onCancel: {
            // Not on the actor: this comes to it after the lines above, and so finds the continuation.
            Task { await self.cancel(id) }
        }
    }

    private func cancel(_ id: Int) {
        self.waiters.removeValue(forKey: id)?.resume(throwing: CancellationError())
    }
}

/// Why a request could not be signed.
enum SigningError: Error, Sendable, Equatable, CustomStringConvertible {
    case providerFailed(String)
    case providerTimedOut(Duration)
    case unusable(String)

    var description: String {
        switch self {
        case .providerFailed(let reason): "no credentials: \(reason)"
        case .providerTimedOut(let limit): "no credentials: the provider took longer than \(limit)"
        case .unusable(let reason): "no credentials: \(reason)"
        }
    }
}

#endif
