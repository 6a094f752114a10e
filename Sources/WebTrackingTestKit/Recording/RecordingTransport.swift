// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// Parses requests, and wakes the tasks that wait for a record in them.
final class RecordingTransport: WebTrackingTransport {
    private struct Watcher {
        var condition: @Sendable (RecordedLog) -> Bool
        var continuation: CheckedContinuation<RecordedLog?, Never>
    }

    private struct State {
        var logs: [RecordedLog] = []
        var watchers: [Int: Watcher] = [:]
        var nextWatcher = 0
    }

    private let mapping: FieldMapping
    private let state = Lock(State())

    init(mapping: FieldMapping) {
        self.mapping = mapping
    }

    /// All records, in the order of their numbers, as each topic arrives separately.
    var logs: [RecordedLog] { self.state.withLock { $0.logs }.sorted { $0.sequence < $1.sequence } }

    /// The first record that matches the condition, as soon as there is one; `nil` if the task is cancelled.
    func first(where condition: @escaping @Sendable (RecordedLog) -> Bool) async -> RecordedLog? {
        let id = self.state.withLock { state -> Int in
            state.nextWatcher += 1
            return state.nextWatcher
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let found = self.state.withLock { state -> RecordedLog?? in
                    if let log = state.logs.first(where: condition) { return log }
                    if Task.isCancelled { return .some(nil) }
                    state.watchers[id] = Watcher(condition: condition, continuation: continuation)
                    return nil
                }
                if let found { continuation.resume(returning: found) }
            }
        } onCancel: {
            let watcher = self.state.withLock { $0.watchers.removeValue(forKey: id) }
            watcher?.continuation.resume(returning: nil)
        }
    }

    func send(_ request: TransportRequest) async throws -> TransportResponse {
        let recorded = try RecordedRequest(request)
        let logs = recorded.logs.map {
            RecordedLog($0, topic: recorded.topic, tags: recorded.tags, mapping: self.mapping)
        }
        let ready = self.state.withLock { state -> [(Watcher, RecordedLog)] in
            state.logs += logs
            var ready: [(Watcher, RecordedLog)] = []
            for (id, watcher) in state.watchers {
                guard let log = logs.first(where: watcher.condition) else { continue }
                ready.append((watcher, log))
                state.watchers[id] = nil
            }
            return ready
        }
        for (watcher, log) in ready { watcher.continuation.resume(returning: log) }
        return TransportResponse(status: 200, headers: [(name: "x-log-requestid", value: "RECORDED")])
    }

    func shutdown() async {}
}
