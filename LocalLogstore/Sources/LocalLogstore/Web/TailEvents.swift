// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import ServiceLifecycle

/// New logs as events, from a given log on, until the endpoint stops or the reader has gone.
///
/// Every event has the number of the last log that was read, so that a browser that lost the connection continues at
/// that log. A reader that is too slow does not get everything later, but the number of logs that were left out.
struct TailEvents: AsyncSequence, Sendable {
    /// Logs are sent this often at most: a browser draws no faster.
    private static let pause = Duration.milliseconds(100)
    /// How many logs an event holds at most.
    private static let batch = 2_000
    /// A reader further behind than this skips the logs in between, up to those that the page keeps.
    private static let maximumLag: Int64 = 20_000
    private static let keptLag: Int64 = 10_000
    /// Only a write shows that the reader of a connection has gone.
    private static let heartbeat = Duration.seconds(10)

    let store: LogStore
    let selection: LogSelection
    let start: Int64

    func makeAsyncIterator() -> Iterator {
        let wakeups = self.store.commits.subscribe(heartbeat: Self.heartbeat).cancelOnGracefulShutdown()
        return Iterator(
            store: self.store,
            selection: self.selection,
            position: self.start,
            wakeups: wakeups.makeAsyncIterator()
        )
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let store: LogStore
        fileprivate let selection: LogSelection
        fileprivate var position: Int64
        fileprivate var wakeups: AsyncCancelOnGracefulShutdownSequence<AsyncStream<Void>>.AsyncIterator
        private var hasStarted = false
        // What came before anybody listened is sent at once.
        private var isBehind = true

        fileprivate init(
            store: LogStore,
            selection: LogSelection,
            position: Int64,
            wakeups: AsyncCancelOnGracefulShutdownSequence<AsyncStream<Void>>.AsyncIterator
        ) {
            self.store = store
            self.selection = selection
            self.position = position
            self.wakeups = wakeups
        }

        @concurrent mutating func next() async throws -> ByteBuffer? {
            guard self.hasStarted else {
                self.hasStarted = true
                return ByteBuffer(string: "retry: 1000\n" + self.event("start", "{\"position\":\(self.position)}"))
            }
            if !self.isBehind {
                guard await self.wakeups.next() != nil else { return nil }
            }
            if let skipped = try await self.skip() { return skipped }
            let arrivals = try await self.store.arrivals(
                after: self.position,
                matching: self.selection,
                limit: TailEvents.batch
            )
            self.isBehind = arrivals.logs.count == TailEvents.batch
            self.position = arrivals.position
            // Whatever comes meanwhile goes into the next event.
            try await Task.sleep(for: TailEvents.pause)
            // A comment, which the browser ignores.
            guard !arrivals.logs.isEmpty else { return ByteBuffer(string: "id: \(self.position)\n:\n\n") }
            var event = Array("id: \(self.position)\nevent: logs\ndata: ".utf8)
            event += LogJSON.object(arrivals.logs, [("position", .int(self.position))])
            event += "\n\n".utf8
            return ByteBuffer(bytes: event)
        }

        private mutating func skip() async throws -> ByteBuffer? {
            let newest = try await self.store.newestID()
            guard newest - self.position > TailEvents.maximumLag else { return nil }
            let skipped = newest - self.position - TailEvents.keptLag
            self.position += skipped
            self.isBehind = true
            return ByteBuffer(string: self.event("skipped", "{\"count\":\(skipped)}"))
        }

        private func event(_ name: String, _ data: String) -> String {
            "id: \(self.position)\nevent: \(name)\ndata: \(data)\n\n"
        }
    }
}
