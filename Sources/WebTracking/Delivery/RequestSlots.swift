// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Limits the number of requests in flight. The task that has waited longest comes first.
final class RequestSlots: Sendable {
    private struct State {
        var free: Int
        var nextID = 0
        var isClosed = false
        var waiting = WaitingQueue<CheckedContinuation<Bool, Never>>()
    }

    private let state: Lock<State>

    init(count: Int) {
        self.state = Lock(State(free: count))
    }

    /// Waits for a slot; `false` if the task was cancelled before there was one.
    func acquire() async -> Bool {
        let id = self.state.withLock { state -> Int in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = self.state.withLock { state -> Bool? in
                    // `onCancel` may have run already, and found no waiter.
                    if Task.isCancelled { return false }
                    if state.free > 0, !state.isClosed {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append(continuation, id: id)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            // If `release` was first, there is none to remove: the task has its slot, and will release it.
            self.state.withLock { $0.waiting.remove(id: id) }?.resume(returning: false)
        }
    }

    /// Gives out no slot any more. Tasks wait until they are cancelled.
    func close() { self.state.withLock { $0.isClosed = true } }

    /// Returns a slot.
    func release() {
        self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            // The slot is passed on without becoming free: so no task that comes later can take it first.
            guard !state.isClosed, let first = state.waiting.removeFirst() else {
                state.free += 1
                return nil
            }
            return first
        }?.resume(returning: true)
    }
}

/// The waiting tasks, in the order in which they came. Adding, removing and serving take the same time for any number.
struct WaitingQueue<Element> {
    private var elements: [Int: Element] = [:]
    /// The ids in order, also of tasks that have left since.
    private var order: [Int] = []
    /// Before this place, all have been served.
    private var head = 0
    /// How many places were looked at.
    private(set) var steps = 0

    var isEmpty: Bool { self.elements.isEmpty }

    mutating func append(_ element: Element, id: Int) {
        self.elements[id] = element
        self.order.append(id)
    }

    mutating func remove(id: Int) -> Element? {
        defer { self.forget() }
        return self.elements.removeValue(forKey: id)
    }

    mutating func removeFirst() -> Element? {
        defer { self.forget() }
        while self.head < self.order.count {
            self.steps += 1
            self.head += 1
            if let element = self.elements.removeValue(forKey: self.order[self.head - 1]) { return element }
        }
        return nil
    }

    /// Removes places of tasks that have left, once they are more than half.
    private mutating func forget() {
        guard self.order.count > 32, self.order.count > 2 * self.elements.count else { return }
        self.steps += self.order.count
        self.order = self.order[self.head...].filter { self.elements[$0] != nil }
        self.head = 0
    }
}
