// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// Sends log events to PutWebtracking through the producer that made it.
///
/// A value: setting the level, the metadata or the provider of a copy leaves the original alone, and all copies share the
/// producer. With the `SwiftLog` trait it is a swift-log `LogHandler`.
///
/// `log(event:)` encodes the event on the calling thread, and appends it to the topic's queue. It does no input or
/// output, even with a spool: its files are mapped ahead. It waits only for a short critical section, and neither
/// throws nor traps. An event that finds no room is counted in ``WebTrackingProducer/statistics``. Errors and values
/// that compute their description are asked for it once for each event.
public struct WebTrackingLogHandler: LogSink {
    /// The label of the logger.
    public let label: String
    /// The lowest level that is let through; swift-log's `Logger`, or ``LogSink``'s conveniences, compare with it.
    ///
    /// A level that ``WebTrackingProducer/logLevelOverrides`` has for this label outranks what is set here for as long as it
    /// is there.
    public var logLevel: LogLevel {
        get { self.override.level ?? self.ownLevel }
        set { self.ownLevel = newValue }
    }
    /// Supplies metadata from the context of each event.
    public var metadataProvider: LogMetadataProvider?
    /// The metadata of every event of this handler, outranked by the provider's and the event's own.
    ///
    /// Values that compute a description may be asked for it when they are set, and not again for each event.
    public var metadata: LogMetadata {
        get { self.encoded.fields.metadata }
        set { self.encoded.fields = self.pipeline.handlerFields(newValue) }
    }

    /// The label and the metadata, encoded.
    private(set) var encoded: RecordEncoder.Handler
    /// Where all events of this handler go, if that does not depend on their metadata.
    let route: TopicRouter.Route?
    private let pipeline: RecordPipeline
    private var ownLevel: LogLevel
    private let override: LogLevelTable.Cell

    /// A handler with events that go through `pipeline`.
    init(label: String, pipeline: RecordPipeline, logLevel: LogLevel, metadataProvider: LogMetadataProvider?) {
        self.label = label
        self.ownLevel = logLevel
        // In a child of fork, locks may be held for good.
        let isForked = pipeline.isForked
        self.override = isForked ? .unset : pipeline.levels.cell(for: label)
        self.metadataProvider = metadataProvider
        self.pipeline = pipeline
        self.encoded = pipeline.policy.with {
            pipeline.encoder.handler(label: label, metadata: [:], redactor: $0.redactor)
        }
        self.route = isForked ? nil : pipeline.router.fixedRoute(label: label)
    }

    /// Leaves out the metadata, and what would have to be asked for it.
    mutating func leaveOutMetadata() { self.encoded.fields = self.pipeline.handlerFields([:]) }

    /// One value of ``metadata``.
    public subscript(metadataKey key: String) -> LogMetadataValue? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    /// Takes one event, whatever its level.
    public func log(event: LogEvent) {
        self.pipeline.log(event, from: self)
    }
}

#if SwiftLog
extension WebTrackingLogHandler: LogHandler {}
#endif
