// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

/// A clock that stands still until a test moves it.
///
/// ```swift
/// let clock = ManualClock()
/// let producer = try WebTrackingProducer(configuration: configuration, transport: transport, clock: clock)
/// logger.info("hello")
/// await clock.waitForSleepers()
/// clock.advance(by: .seconds(2))  // the linger
/// ```
public final class ManualClock: ProducerClock {
    private struct Sleeper {
        var id: Int
        var deadline: Int64
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var monotonic: Int64 = 1_000_000_000
        var wall: Int64
        var nextID = 0
        var sleepers: [Sleeper] = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state: Lock<State>

    /// Creates a clock that shows `wallTime`, in nanoseconds since 1970.
    public init(wallTime: Int64 = 1_767_225_600_000_000_000) {
        self.state = Lock(State(wall: wallTime))
    }

    /// The wall time that the test has set.
    public func wallTime() -> Int64 {
        self.state.withLock { $0.wall }
    }

    /// The instant that the test has moved to.
    public func now() -> MonotonicInstant {
        MonotonicInstant(nanoseconds: self.state.withLock { $0.monotonic })
    }

    /// Suspends until the test has moved the clock to `deadline`.
    public func sleep(until deadline: MonotonicInstant) async throws {
        let id = self.state.withLock { state -> Int in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                enum Outcome {
                    case elapsed
                    case cancelled
                    case asleep([CheckedContinuation<Void, Never>])
                }
                let outcome = self.state.withLock { state -> Outcome in
                    if Task.isCancelled { return .cancelled }
                    if deadline.nanoseconds <= state.monotonic { return .elapsed }
                    state.sleepers.append(
                        Sleeper(id: id, deadline: deadline.nanoseconds, continuation: continuation)
                    )
                    return .asleep(Self.takeWatchers(from: &state))
                }
                switch outcome {
                case .elapsed: continuation.resume()
                case .cancelled: continuation.resume(throwing: CancellationError())
                case .asleep(let watchers): for watcher in watchers { watcher.resume() }
                }
            }
        } onCancel: {
            self.state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.sleepers.remove(at: index).continuation
            }?.resume(throwing: CancellationError())
        }
    }

    /// Moves both clocks forward, and wakes all sleepers whose deadline has come.
    public func advance(by duration: Duration) {
        let nanoseconds = Int64(duration / .nanoseconds(1))
        let due = self.state.withLock { state -> [Sleeper] in
            state.monotonic += nanoseconds
            state.wall += nanoseconds
            let due = state.sleepers.filter { $0.deadline <= state.monotonic }
            state.sleepers.removeAll { $0.deadline <= state.monotonic }
            return due.sorted { $0.deadline < $1.deadline }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Moves the wall clock alone, in either direction, as an administrator might.
    public func moveWallTime(by duration: Duration) {
        self.state.withLock { $0.wall += Int64(duration / .nanoseconds(1)) }
    }

    /// The number of sleepers.
    public var sleepers: Int {
        self.state.withLock { $0.sleepers.count }
    }

    /// The time until the next sleeper wakes; `nil` if there is none.
    public var timeToNextDeadline: Duration? {
        self.state.withLock { state in
            state.sleepers.map(\.deadline).min().map { .nanoseconds($0 - state.monotonic) }
        }
    }

    /// Waits until there are at least `count` sleepers.
    public func waitForSleepers(count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isReached = self.state.withLock { state -> Bool in
                if state.sleepers.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isReached { continuation.resume() }
        }
    }

    private static func takeWatchers(from state: inout State) -> [CheckedContinuation<Void, Never>] {
        let count = state.sleepers.count
        let ready = state.watchers.filter { $0.count <= count }.map(\.continuation)
        state.watchers.removeAll { $0.count <= count }
        return ready
    }
}
