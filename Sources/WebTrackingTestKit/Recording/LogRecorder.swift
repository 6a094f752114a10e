// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

#if SwiftLog
public import Logging
#endif

/// A backend for tests of a program's logging: a real producer that keeps its records in memory.
///
/// ```swift
/// let recorder = try LogRecorder()
/// let shop = Shop(logger: recorder.logger(label: "shop"))
/// await shop.order("tea")
/// let log = try await recorder.log { $0.message == "ordered" }
/// #expect(log.metadata["item"] == "tea")
/// ```
///
/// Nothing is bootstrapped, so tests can run in parallel, each with its own recorder. The recorded logs went the whole way
/// of a record: mapping, repairs, redaction, topics, tags and the request's JSON.
public final class LogRecorder: Sendable {
    /// The producer, for code that needs one.
    public let producer: WebTrackingProducer
    private let store: RecordingTransport

    /// Creates a recorder.
    ///
    /// - Parameter configure: Changes the configuration, or replaces it by the program's own. By default the level is
    ///   `trace`, and each record is sent at once. The endpoint gets no requests, and nothing is signed or spooled, also if
    ///   the configuration says so. Throws ``/WebTracking/ConfigurationError`` for a setting that cannot work.
    public init(configure: (inout WebTrackingConfiguration) -> Void = { _ in }) throws {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "recorder", logstore: "recorder")
        configuration.logLevel = .trace
        configuration.batching.linger = .zero
        configure(&configuration)
        // Validate it as the program's own start would, before the settings for the test replace some of it.
        try configuration.validate()
        // The recorder can only read unsigned bodies. The spool of the real program has its own records, which would
        // count as delivered here.
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
    /// A swift-log logger whose lines are recorded. The bootstrapped backend does not matter.
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

    /// The first record that matches `condition`. Waits for it without polling if there is none yet.
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

    /// Stops the producer. Later records are not recorded.
    public func shutdown() async {
        await self.producer.shutdown(timeout: .seconds(60))
    }

    /// The error if no matching record was logged.
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
