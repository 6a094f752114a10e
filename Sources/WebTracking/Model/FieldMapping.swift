// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Which fields a record carries beside its metadata, and what they are called.
///
/// Every name is 1 to 128 bytes, unlike every other, and none of the service's reserved names; the producer's initialiser
/// throws ``ConfigurationError`` otherwise.
public struct FieldMapping: Sendable, Equatable {
    /// The field of the time at which the event was logged, in UTC with nanoseconds (ISO 8601).
    ///
    /// A field of its own, since the service puts the time of receipt in place of `__time__`.
    public var time = "time"
    /// The field of the level.
    public var level = "level"
    /// The field of the logger's label.
    public var label = "label"
    /// The field of the message.
    public var message = "message"
    /// The field of the module that logged.
    public var source = "source"
    /// The field of the file that logged.
    public var file = "file"
    /// The field of the function that logged.
    public var function = "function"
    /// The field of the line that logged.
    public var line = "line"
    /// The field of the sequence number, which counts the records offered to this producer from 1; a gap is a drop.
    public var sequence = "seq"
    /// The field of the type of an event's error.
    public var errorType = "error.type"
    /// The field of the description of an event's error.
    public var errorMessage = "error.message"
    /// Whether records carry source, file, function and line.
    public var includesCodeLocation = true
    /// Whether records carry a sequence number.
    public var includesSequence = true
    /// Whether requests carry a batch id, the tag `__pack_id__`: two requests with the same id are duplicates.
    ///
    /// It stays the same however often a batch is sent. A part of a batch adds a dot and the numbers of its first and last
    /// record to it, such as `.1-250`; a batch may come again in other parts. The service's log context follows the tag.
    public var includesBatchID = true

    /// The default fields under their default names.
    public init() {}

    /// The names in use, in the order in which the fields are written; the error's fields come after the metadata.
    var leading: [String] {
        let location = self.includesCodeLocation ? [self.source, self.file, self.function, self.line] : []
        return (self.includesSequence ? [self.sequence] : []) + [self.time, self.level, self.label, self.message]
            + location
    }

    var error: [String] { [self.errorType, self.errorMessage] }
}
