// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// The only file that differs between builds with and without the SwiftLog trait: the names here are swift-log's own
// types, or types of the same form. All other code is written once, with these names.

#if SwiftLog

public import Logging

/// The severity of a log event: swift-log's own `Logger.Level`.
public typealias LogLevel = Logging.Logger.Level

/// The text of a log event: swift-log's own `Logger.Message`.
public typealias LogMessage = Logging.Logger.Message

/// The metadata of a log event: swift-log's own `Logger.Metadata`.
public typealias LogMetadata = Logging.Logger.Metadata

/// One value of a log event's metadata: swift-log's own `Logger.MetadataValue`.
public typealias LogMetadataValue = Logging.Logger.MetadataValue

/// Supplies metadata from the current execution context: swift-log's own `Logger.MetadataProvider`.
public typealias LogMetadataProvider = Logging.Logger.MetadataProvider

/// A log statement with everything it says: swift-log's own `LogEvent`.
public typealias LogEvent = Logging.LogEvent

extension LogEvent {
    /// Whether the statement named its source itself.
    ///
    /// swift-log computes ``LogEvent/source`` from the file each time it is read, which allocates for modules of more
    /// than 15 characters, and does not say whether it was computed. So this reads the stored property, which lies
    /// between two public ones. A test at the first use checks where it lies, and how "none" looks there. If any result
    /// differs, the property counts as set.
    @inline(__always)
    var hasGivenSource: Bool {
        guard MemoryLayout<LogEvent>.size == MemoryLayout<GivenSource.Words>.size, GivenSource.isReadable else {
            return true
        }
        return GivenSource.isGiven(self)
    }
}

private enum GivenSource {
    /// An event as numbers. To read it in this form copies no string.
    typealias Words = (
        UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64
    )

    /// Whether the second word of the given source is where it is expected. Only "none" leaves it zero.
    static let isReadable: Bool = {
        guard MemoryLayout<String?>.size == 16,
            MemoryLayout<LogEvent>.offset(of: \.metadata) == 32,
            MemoryLayout<LogEvent>.offset(of: \.file) == 56
        else { return false }
        func looksGiven(_ source: String?) -> Bool {
            GivenSource.isGiven(
                LogEvent(
                    level: .info,
                    message: "",
                    error: nil,
                    metadata: ["key": "value"],
                    source: source,
                    file: "Module/File.swift",
                    function: "function()",
                    line: 1
                )
            )
        }
        let given = ["", "a", "fifteen letters", "more than fifteen letters", String(repeating: "x", count: 100)]
        return !looksGiven(nil) && given.allSatisfy(looksGiven)
    }()

    @inline(__always)
    static func isGiven(_ event: LogEvent) -> Bool {
        unsafeBitCast(event, to: Words.self).6 != 0
    }
}

#else

/// The severity of a log event, from the least to the most severe.
public enum LogLevel: String, Sendable, CaseIterable, Codable, Comparable, CustomStringConvertible {
    /// The finest detail, useful when the execution of a program is traced.
    case trace
    /// Detail that helps to find the cause of a problem.
    case debug
    /// Information about normal operation.
    case info
    /// Not an error, but may need attention.
    case notice
    /// Not an error, but more severe than a notice.
    case warning
    /// Something went wrong.
    case error
    /// Something went wrong that needs immediate attention.
    case critical

    /// The name of the level, in lower case.
    public var description: String { self.rawValue }

    /// Orders levels by severity.
    public static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.rank < right.rank
    }
}

/// The text of a log event, written as a string literal.
public struct LogMessage: Sendable, Equatable, CustomStringConvertible, ExpressibleByStringLiteral,
    ExpressibleByStringInterpolation
{
    /// The text.
    public let description: String

    /// Creates a message from its text.
    public init(stringLiteral value: String) {
        self.description = value
    }
}

/// The metadata of a log event: named values.
public typealias LogMetadata = [String: LogMetadataValue]

/// One value of a log event's metadata.
public enum LogMetadataValue: Sendable {
    /// A string.
    case string(String)
    /// A value. Its description is computed when the event is encoded.
    case stringConvertible(any CustomStringConvertible & Sendable)
    /// Named values.
    case dictionary(LogMetadata)
    /// A list of values.
    case array([LogMetadataValue])
}

extension LogMetadataValue: Equatable {
    /// Compares strings and descriptions as text, dictionaries and arrays by their elements.
    public static func == (left: LogMetadataValue, right: LogMetadataValue) -> Bool {
        switch (left, right) {
        case (.string(let a), .string(let b)): a == b
        case (.stringConvertible(let a), .stringConvertible(let b)): a.description == b.description
        case (.dictionary(let a), .dictionary(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        default: false
        }
    }
}

extension LogMetadataValue: CustomStringConvertible {
    /// The value as text.
    public var description: String {
        switch self {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .dictionary(let values): values.description
        case .array(let values): values.description
        }
    }
}

extension LogMetadataValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// Creates a string value.
    public init(stringLiteral value: String) {
        self = .string(value)
    }
}

extension LogMetadataValue: ExpressibleByDictionaryLiteral {
    /// Creates a dictionary value. Of equal keys, the last one counts.
    public init(dictionaryLiteral elements: (String, LogMetadataValue)...) {
        self = .dictionary(LogMetadata(elements, uniquingKeysWith: { _, last in last }))
    }
}

extension LogMetadataValue: ExpressibleByArrayLiteral {
    /// Creates an array value.
    public init(arrayLiteral elements: LogMetadataValue...) {
        self = .array(elements)
    }
}

/// Supplies metadata from the current execution context, for example a trace id.
public struct LogMetadataProvider: Sendable {
    private let provide: @Sendable () -> LogMetadata

    /// Creates a provider. The closure is called for every event that is logged, on the caller's thread.
    public init(_ provide: @escaping @Sendable () -> LogMetadata) {
        self.provide = provide
    }

    /// The metadata of the current context.
    public func get() -> LogMetadata {
        self.provide()
    }
}

/// A log statement with everything it says.
public struct LogEvent: Sendable {
    /// The severity.
    public var level: LogLevel
    /// The text.
    public var message: LogMessage
    /// The error that the event is about, if any.
    public var error: (any Error)?
    /// The metadata given with the statement.
    public var metadata: LogMetadata?
    /// The module of the statement. Computed from ``file`` if none was given.
    public var source: String {
        get { self.givenSource ?? LogEvent.module(ofFileID: self.file) }
        set { self.givenSource = newValue }
    }
    /// The file of the statement, as `#fileID` gives it.
    public var file: String
    /// The function of the statement.
    public var function: String
    /// The line of the statement.
    public var line: UInt

    private var givenSource: String?

    /// Whether the statement named its source itself.
    var hasGivenSource: Bool { self.givenSource != nil }

    /// Creates an event.
    public init(
        level: LogLevel,
        message: LogMessage,
        error: (any Error)? = nil,
        metadata: LogMetadata?,
        source: String?,
        file: String,
        function: String,
        line: UInt
    ) {
        self.level = level
        self.message = message
        self.error = error
        self.metadata = metadata
        self.givenSource = source
        self.file = file
        self.function = function
        self.line = line
    }

    private static func module(ofFileID file: String) -> String {
        guard let slash = file.utf8.firstIndex(of: UInt8(ascii: "/")) else { return "n/a" }
        return String(file[..<slash])
    }
}

#endif
