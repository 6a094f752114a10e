// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
public import Logging
#endif

/// Something that log events can be written to: swift-log's handler shape, usable without swift-log.
///
/// ``WebTrackingLogHandler`` is one. With the `SwiftLog` trait the types in these requirements are swift-log's own, so
/// that a type that satisfies `Logging.LogHandler` through `log(event:)` satisfies this protocol as it is.
///
/// Implementations are value types: setting the level or the metadata of a copy leaves the original alone. `log(event:)`
/// neither blocks on input or output, nor throws, nor traps. It does not compare the event's level with ``logLevel``;
/// the conveniences (``info(_:error:metadata:source:file:function:line:)`` and its siblings) do.
public protocol LogSink: Sendable {
    /// Takes one event, whatever its level.
    func log(event: LogEvent)

    /// The lowest level that the conveniences let through.
    var logLevel: LogLevel { get set }

    /// The metadata that every event of this sink carries.
    var metadata: LogMetadata { get set }

    /// Supplies metadata from the context of each event; it outranks ``metadata`` and is outranked by the event's own.
    var metadataProvider: LogMetadataProvider? { get set }

    /// One value of ``metadata``.
    subscript(metadataKey key: String) -> LogMetadataValue? { get set }
}

extension LogSink {
    /// Logs an event if `level` is at least ``logLevel``; otherwise nothing is evaluated.
    @inlinable
    public func log(
        level: LogLevel,
        _ message: @autoclosure () -> LogMessage,
        error: (any Error)? = nil,
        metadata: @autoclosure () -> LogMetadata? = nil,
        source: @autoclosure () -> String? = nil,
        file: String = #fileID,
        function: String = #function,
        line: UInt = #line
    ) {
        self.log(level, message, error, metadata, source, file, function, line)
    }

    /// Logs an event at level `trace`.
    @inlinable
    public func trace(
        _ message: @autoclosure () -> LogMessage,
        error: (any Error)? = nil,
        metadata: @autoclosure () -> LogMetadata? = nil,
        source: @autoclosure () -> String? = nil,
        file: String = #fileID,
        function: String = #function,
        line: UInt = #line
    ) {
        self.log(.trace, message, error, metadata, source, file, function, line)
    }

    /// Logs an event at level `debug`.
    @inlinable
    public func debug(
        _ message: @autoclosure () -> LogMessage,
        error: (any Error)? = nil,
        metadata: @autoclosure () -> LogMetadata? = nil,
        source: @autoclosure () -> String? = nil,
        file: String = #fileID,
        function: String = #function,
        line: UInt = #line
    ) {
        self.log(.debug, message, error, metadata, source, file, function, line)
    }

    /// Logs an event at level `info`.
    @inlinable
    public func info(
        _ message: @autoclosure () -> LogMessage,
        error: (any Error)? = nil,
        metadata: @autoclosure () -> LogMetadata? = nil,
        source: @autoclosure () -> String? = nil,
        file: String = #fileID,
        function: String = #function,
        line: UInt = #line
    ) {
        self.log(.info, message, error, metadata, source, file, function, line)
    }

    /// Logs an event at level `notice`.
    @inlinable
    public func notice(
        _ message: @autoclosure () -> LogMessage,
        error: (any Error)? = nil,
        metadata: @autoclosure () -> LogMetadata? = nil,
        source: @autoclosure () -> String? = nil,
        file: String = #fileID,
        function: String = #function,
        line: UInt = #line
    ) {
        self.log(.notice, message, error, metadata, source, file, function, line)
    }

    /// Logs an event at level `warning`.
    @inlinable
    public func warning(
        _ message: @autoclosure () -> LogMessage,
        error: (any Error)? = nil,
        metadata: @autoclosure () -> LogMetadata? = nil,
        source: @autoclosure () -> String? = nil,
        file: String = #fileID,
        function: String = #function,
        line: UInt = #line
    ) {
        self.log(.warning, message, error, metadata, source, file, function, line)
    }

    /// Logs an event at level `error`.
    @inlinable
    public func error(
        _ message: @autoclosure () -> LogMessage,
        error: (any Error)? = nil,
        metadata: @autoclosure () -> LogMetadata? = nil,
        source: @autoclosure () -> String? = nil,
        file: String = #fileID,
        function: String = #function,
        line: UInt = #line
    ) {
        self.log(.error, message, error, metadata, source, file, function, line)
    }

    /// Logs an event at level `critical`.
    @inlinable
    public func critical(
        _ message: @autoclosure () -> LogMessage,
        error: (any Error)? = nil,
        metadata: @autoclosure () -> LogMetadata? = nil,
        source: @autoclosure () -> String? = nil,
        file: String = #fileID,
        function: String = #function,
        line: UInt = #line
    ) {
        self.log(.critical, message, error, metadata, source, file, function, line)
    }

    /// Used by all conveniences. It takes closures, so that nothing is evaluated for a level that is not let through.
    @inlinable
    func log(
        _ level: LogLevel,
        _ message: () -> LogMessage,
        _ error: (any Error)?,
        _ metadata: () -> LogMetadata?,
        _ source: () -> String?,
        _ file: String,
        _ function: String,
        _ line: UInt
    ) {
        guard level >= self.logLevel else { return }
        self.log(
            event: LogEvent(
                level: level,
                message: message(),
                error: error,
                metadata: metadata(),
                source: source(),
                file: file,
                function: function,
                line: line
            )
        )
    }
}
