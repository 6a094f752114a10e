// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Which fields a record has beside its metadata, and their names.
///
/// Every name has 1 to 128 bytes, differs from all others, and is not reserved by the service. Otherwise the producer's
/// initialiser throws ``ConfigurationError``.
public struct FieldMapping: Sendable, Equatable {
    /// The field of the time of the log call.
    ///
    /// In UTC with nanoseconds (ISO 8601). It is a field of its own, as the service replaces `__time__` by the time of
    /// receipt.
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
    /// The field of the sequence number.
    ///
    /// It counts the records offered to this producer from 1, so a gap is a drop.
    public var sequence = "seq"
    /// The field of the type of an event's error.
    public var errorType = "error.type"
    /// The field of the description of an event's error.
    public var errorMessage = "error.message"
    /// Whether records carry source, file, function and line.
    public var includesCodeLocation = true
    /// Whether records carry a sequence number.
    public var includesSequence = true
    /// Whether requests carry a batch id, the tag `__pack_id__`.
    ///
    /// Two requests with the same id are duplicates. A batch keeps its id in every attempt. If a part of a batch is sent,
    /// a dot and the numbers of its first and last record are added, such as `.1-250`. A batch may be sent again in other
    /// parts. The service's log context uses the tag.
    public var includesBatchID = true

    /// The default fields under their default names.
    public init() {}

    /// The names in use, in the order of the fields. The error's fields come after the metadata.
    var leading: [String] {
        let location = self.includesCodeLocation ? [self.source, self.file, self.function, self.line] : []
        return (self.includesSequence ? [self.sequence] : []) + [self.time, self.level, self.label, self.message]
            + location
    }

    var error: [String] { [self.errorType, self.errorMessage] }
}
