// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

#if SwiftLog
public import Logging
#endif

/// A backend for tests of what a program logs: a real producer, and a place in memory where its records end.
///
/// ```swift
/// let recorder = try LogRecorder()
/// let shop = Shop(logger: recorder.logger(label: "shop"))
/// await shop.order("tea")
/// let log = try await recorder.log { $0.message == "ordered" }
/// #expect(log.metadata["item"] == "tea")
/// ```
///
/// Nothing is bootstrapped, so that tests run side by side, each with a recorder of its own. What is looked at went the whole
/// way of a record: mapping, repairs, redaction, topics, tags and the request's JSON.
public final class LogRecorder: Sendable {
    /// The producer, for what takes one.
    public let producer: WebTrackingProducer
    private let store: RecordingTransport

    /// Creates a recorder.
    ///
    /// - Parameter configure: Changes the configuration, or puts a program's own in its place: its level is `trace`, it sends
    ///   each record at once, and its endpoint is not asked. Whatever it says, nothing is signed and nothing is spooled. Throws
    ///   ``/WebTracking/ConfigurationError`` for what cannot work.
    public init(configure: (inout WebTrackingConfiguration) -> Void = { _ in }) throws {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "recorder", logstore: "recorder")
        configuration.logLevel = .trace
        configuration.batching.linger = .zero
        configure(&configuration)
        // As the program itself would start, before what is not for a test is taken away.
        try configuration.validate()
        // Records end here: bodies have to be those that can be read here, and the spool of the real program has records of its
        // own, which would be taken for delivered.
        configuration.durability = .memory
        configuration.spool = .init()
        #if SignedPutLogs
        configuration.authentication = .anonymous
        #endif
        self.store = RecordingTransport(mapping: configuration.fields)
        self.producer = try WebTrackingProducer(
            configuration: configuration,
            transport: self.store,
            diagnostics: .none
        )
    }

    /// A handler whose records are recorded.
    public func makeLogHandler(
        label: String,
        metadataProvider: LogMetadataProvider? = nil
    ) -> WebTrackingLogHandler {
        self.producer.makeLogHandler(label: label, metadataProvider: metadataProvider)
    }

    #if SwiftLog
    /// A swift-log logger whose lines are recorded, whatever the logging system was bootstrapped with.
    public func logger(label: String, metadataProvider: LogMetadataProvider? = nil) -> Logger {
        Logger(label: label) { self.makeLogHandler(label: $0, metadataProvider: metadataProvider) }
    }
    #endif

    /// Everything that has been logged until now, in order.
    public var logs: [RecordedLog] {
        get async {
            await self.producer.flush(timeout: .seconds(60))
            return self.store.logs
        }
    }

    /// The first record that `condition` holds for; waits for it if there is none yet, without looking again and again.
    ///
    /// Throws ``NotLogged`` with what was logged instead if none comes within `timeout`, or if the task is cancelled.
    public func log(
        within timeout: Duration = .seconds(10),
        where condition: @escaping @Sendable (RecordedLog) -> Bool
    ) async throws -> RecordedLog {
        let found = await withTaskGroup(of: RecordedLog?.self) { group in
            group.addTask { await self.store.first(where: condition) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard let found else { throw NotLogged(logs: self.store.logs) }
        return found
    }

    /// Stops the producer; what is logged after that is not recorded.
    public func shutdown() async {
        await self.producer.shutdown(timeout: .seconds(60))
    }

    /// That no such record was logged.
    public struct NotLogged: Error, Sendable, CustomStringConvertible {
        /// What was logged instead.
        public var logs: [RecordedLog]

        /// What was logged instead, a line each.
        public var description: String {
            let lines = self.logs.map { "\n  \($0)" }.joined()
            return self.logs.isEmpty ? "nothing was logged" : "no such record; these were logged:\(lines)"
        }
    }
}
