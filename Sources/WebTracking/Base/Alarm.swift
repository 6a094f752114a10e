// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Wakes tasks that wait at a ``Doorbell`` when their time comes. One task sleeps for all of them.
///
/// If each topic slept by itself, it would need two more tasks and a timer.
final class Alarm: Sendable {
    struct Waiter {
        var bell: Doorbell
        var turn: Int
    }

    private struct State {
        var timers = TimerQueue<Waiter>()
        private var lastID = 0
        var sleeper: (id: Int, until: MonotonicInstant, task: Task<Void, Never>)?

        mutating func takeID() -> Int {
            self.lastID += 1
            return self.lastID
        }
    }

    /// A sleep that ends so much earlier than is needed is not replaced: its task looks once in vain, and sleeps on.
    private static let slack = Duration.milliseconds(10)
    /// Nor is one that has more than this to go. The memory of a sleep that is cancelled is released only when its time
    /// would have come (Swift 6.3.1), and a topic with a long idle timeout may be rung all the time.
    private static let long = Duration.seconds(40)
    /// So many are taken out under one hold of the lock.
    private static let atOnce = 256

    private let clock: any ProducerClock
    private let executor: (any TaskExecutor)?
    private let state = Lock(State())
    private let forks = ForkCount.current

    init(clock: any ProducerClock, executor: (any TaskExecutor)? = nil) {
        self.clock = clock
        self.executor = executor
    }

    deinit {
        // In a child of `fork`, the copy of the lock may be held for ever.
        guard !ForkCount.isOther(than: self.forks) else { return }
        self.state.withLock { $0.sleeper?.task.cancel() }
    }

    /// The number of waiters.
    var count: Int { self.state.withLock { $0.timers.count } }

    /// Wakes a waiter at `time`, unless ``cancel(_:)`` comes first.
    func set(_ waiter: Waiter, at time: MonotonicInstant) -> Int {
        self.state.withLock { state in
            let id = state.takeID()
            state.timers.insert(waiter, id: id, at: time)
            self.adjust(&state)
            return id
        }
    }

    func cancel(_ id: Int) {
        self.state.withLock { state in
            if state.timers.remove(id: id) { self.adjust(&state) }
        }
    }

    /// Starts a task that sleeps until the first of the times, or a little less.
    private func adjust(_ state: inout State) {
        let first = state.timers.first
        if let sleeper = state.sleeper {
            if first.map({ sleeper.until <= $0 }) ?? true, self.isWorthKeeping(sleeper.until, for: first) { return }
            sleeper.task.cancel()
            state.sleeper = nil
        }
        guard let first else { return }
        let id = state.takeID()
        // Held weakly: `deinit` ends the sleep, and with a strong reference it would only come after it.
        let task = Task.detached(executorPreference: self.executor) { [weak self, clock = self.clock] in
            var next: MonotonicInstant? = first
            while let until = next {
                try? await clock.sleep(until: until)
                next = self?.wake(id)
            }
        }
        state.sleeper = (id, first, task)
    }

    private func isWorthKeeping(_ until: MonotonicInstant, for first: MonotonicInstant?) -> Bool {
        first.map { $0 - until <= Self.slack } ?? false || until - self.clock.now() > Self.long
    }

    /// Wakes the waiters that are due. Returns the next time; `nil` if there is none, or if another task sleeps.
    private func wake(_ id: Int) -> MonotonicInstant? {
        while true {
            let due = self.takeDue(id)
            // Outside of the lock: a bell takes its own, then that of its turnstile, and over that a topic's.
            for waiter in due { waiter.bell.wake(waiter.turn) }
            guard due.count == Self.atOnce else { break }
        }
        return self.state.withLock { $0.sleeper.flatMap { $0.id == id ? $0.until : nil } }
    }

    /// A number of waiters that are due. For the rest, a task sleeps until the first of their times.
    private func takeDue(_ id: Int) -> [Waiter] {
        let now = self.clock.now()
        return self.state.withLock { state in
            // A sleep that was replaced ends early, when it is cancelled. What is due then is for its successor.
            guard state.sleeper?.id == id else { return [] }
            let due = state.timers.takeDue(at: now, limit: Self.atOnce)
            if let first = state.timers.first { state.sleeper?.until = first } else { state.sleeper = nil }
            return due
        }
    }
}

/// Elements by time: the earliest first, and of equal times the one that was added first. The cost of adding and
/// removing hardly depends on their number.
struct TimerQueue<Element> {
    private struct Place: Comparable {
        var time: MonotonicInstant
        var id: Int

        static func < (left: Place, right: Place) -> Bool { (left.time, left.id) < (right.time, right.id) }
    }

    private var elements: [Int: Element] = [:]
    /// A heap: each place comes before those at twice its index and one or two more. Those of elements that have gone stay
    /// until they come first or are the greater part.
    private var places: [Place] = []

    var count: Int { self.elements.count }

    /// The first time.
    var first: MonotonicInstant? { self.places.first?.time }

    /// The number of places, including those of removed elements.
    var placeCount: Int { self.places.count }

    mutating func insert(_ element: Element, id: Int, at time: MonotonicInstant) {
        self.elements[id] = element
        self.places.append(Place(time: time, id: id))
        self.rise(from: self.places.count - 1)
    }

    /// Returns `false` if it was removed before.
    mutating func remove(id: Int) -> Bool {
        guard self.elements.removeValue(forKey: id) != nil else { return false }
        if self.places.count > 32, self.places.count > 2 * self.elements.count {
            // Sorted places are a heap, too.
            self.places = self.places.filter { self.elements[$0.id] != nil }.sorted()
        }
        self.forget()
        return true
    }

    /// Removes and returns at most `limit` elements that are due.
    mutating func takeDue(at now: MonotonicInstant, limit: Int) -> [Element] {
        var due: [Element] = []
        while due.count < limit, let place = self.places.first, place.time <= now {
            if let element = self.elements.removeValue(forKey: place.id) { due.append(element) }
            self.forget()
        }
        return due
    }

    /// Removes places from the front until there is an element at it.
    private mutating func forget() {
        while let place = self.places.first, self.elements[place.id] == nil {
            let last = self.places.removeLast()
            guard !self.places.isEmpty else { return }
            self.places[0] = last
            self.sink()
        }
    }

    private mutating func rise(from index: Int) {
        var index = index
        while index > 0, self.places[index] < self.places[(index - 1) / 2] {
            self.places.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func sink() {
        var index = 0
        while true {
            // Two, one or none. The bounds keep the range of none from ending before it begins, which would trap.
            let children = (2 * index + 1)..<min(2 * index + 3, max(self.places.count, 2 * index + 1))
            guard let least = children.min(by: { self.places[$0] < self.places[$1] }),
                self.places[least] < self.places[index]
            else { return }
            self.places.swapAt(index, least)
            index = least
        }
    }
}
