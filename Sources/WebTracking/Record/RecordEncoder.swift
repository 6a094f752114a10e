// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if SwiftLog
import Logging
#endif

/// Turns one log event into the bytes of one JSON object with only string values.
///
/// The sequence number is not among them: the topic's queue writes it in front, so that its order is the order of the
/// records in the topic (see ``Batch``).
///
/// A class, since a structure of this size would be copied for each record.
final class RecordEncoder: Sendable {
    /// The sizes that records are held to, in bytes of UTF-8.
    struct Limits: Sendable {
        /// The longest value, before JSON's escapes.
        var valueBytes: Int
        /// The largest record, encoded, without its sequence number.
        var recordBytes: Int
        /// Dictionaries nested deeper become JSON text.
        var nesting: Int
    }

    /// The fields that a handler adds to its events.
    struct Handler: Sendable {
        var label: LabelFields
        var fields: HandlerFields
    }

    /// Metadata that stays among the fields although the configuration would promote it.
    enum Unpromoted: Equatable, Sendable {
        case none
        case keys([String])
        case all

        /// Whether the value of this key stays.
        func contains(_ key: String) -> Bool {
            switch self {
            case .none: false
            case .keys(let keys): keys.contains(key)
            case .all: true
            }
        }
    }

    /// A label longer than this is cut.
    static let longestLabel = 1024
    /// The field with the number of metadata values that did not fit into an oversize record.
    static let omittedName = "metadata.omitted"

    let limits: Limits
    let mapping: FieldMapping
    /// The metadata keys that become topic or tags instead of fields.
    private let promoted: [String]
    private let timeOpening: [UInt8]
    /// By rank: from the end of the time value to the beginning of the label value.
    private let levels: [[UInt8]]
    private let messageOpening: [UInt8]
    private let location: [[UInt8]]
    private let errorOpenings: [[UInt8]]
    /// The names of the default fields.
    let leadingNames: PlainNames
    /// The names of the fields that only records with an error have.
    let errorNames: PlainNames
    /// Distinguishes this encoder's ready members from those of another producer.
    let identity: UInt64

    private static let lastIdentity = Atomic<UInt64>(0)

    init(mapping: FieldMapping, promoted: [String], limits: Limits) {
        func opening(_ name: String, after prefix: String = "\",") -> [UInt8] {
            var writer = ByteWriter(capacity: 64)
            writer.append(Array("\(prefix)\"".utf8))
            writer.append(escaping: name)
            writer.append(literal: "\":\"")
            return writer.withBytes { Array($0) }
        }
        self.mapping = mapping
        self.promoted = promoted
        self.limits = limits
        self.timeOpening = opening(mapping.time, after: "")
        self.levels = LogLevel.ranked.map {
            opening(mapping.level) + Array($0.rawValue.utf8) + opening(mapping.label)
        }
        self.messageOpening = opening(mapping.message)
        self.location = [mapping.source, mapping.file, mapping.function, mapping.line].map { opening($0) }
        self.errorOpenings = mapping.error.map { opening($0, after: ",") }
        self.leadingNames = PlainNames(mapping.leading)
        self.errorNames = PlainNames(mapping.error)
        // Relaxed: it only has to differ from all others, and guards no memory.
        self.identity = Self.lastIdentity.add(1, ordering: .relaxed).newValue
    }

    /// Where the part of a record begins that the same event has at another time.
    var endOfTime: Int { self.timeOpening.count + TimestampFormatter.count }

    /// The fields that a handler with this label and this metadata adds to its events.
    func handler(label: String, metadata: LogMetadata, redactor: Redactor) -> Handler {
        Handler(
            label: LabelFields(label: label, encoder: self),
            fields: HandlerFields(metadata: metadata, encoder: self, redactor: redactor)
        )
    }

    /// The bytes between the time and the message.
    func opening(level: LogLevel, label: String) -> [UInt8] {
        var writer = ByteWriter(capacity: 128)
        writer.append(self.levels[level.rank])
        writer.append(escaping: label)
        writer.append(self.messageOpening)
        return writer.withBytes { Array($0) }
    }

    /// Whether there are metadata keys that become topic or tags.
    @inline(__always)
    var hasPromoted: Bool { !self.promoted.isEmpty }

    /// Whether a metadata key becomes part of the topic or a tag.
    @inline(__always)
    func isPromoted(_ key: String) -> Bool {
        !self.promoted.isEmpty && self.promoted.contains(key)
    }

    /// Writes the record of an event into the scratch memory, which is empty, within the limits.
    ///
    /// - Parameters:
    ///   - time: Nanoseconds since 1970 at which the event was logged.
    ///   - provided: The metadata of the metadata provider.
    ///   - unpromoted: Which metadata that would be promoted to topic or tags stays among the fields.
    ///   - redacted: The values that were redacted for the topic.
    ///   - redactor: Changes metadata that must not leave the process.
    @inline(__always)
    func encode(
        _ event: LogEvent,
        time: Int64,
        handler: borrowing Handler,
        provided: LogMetadata?,
        unpromoted: Unpromoted,
        redacted: [String: RedactedValue]? = nil,
        redactor: Redactor,
        into scratch: inout EncoderScratch
    ) {
        self.appendLeading(event, time: time, label: handler.label, valueLimit: self.limits.valueBytes, to: &scratch)
        let end = scratch.writer.count
        var isPlain = false
        if case .none = unpromoted {
            isPlain = self.appendPlainMetadata(
                event,
                fields: handler.fields,
                provided: provided,
                redactor: redactor,
                to: &scratch
            )
        }
        var thrown: (any Error)?
        if let error = event.error {
            thrown = error
        } else if isPlain {
            scratch.writer.append(UInt8(ascii: "}"))
            if scratch.writer.count <= self.limits.recordBytes { return }
        }
        let layers = Layers(handler: handler.fields.metadata, provided: provided, event: event.metadata)
        self.finish(
            event,
            thrown,
            time: time,
            label: handler.label,
            layers,
            metadataBegin: isPlain ? nil : end,
            unpromoted,
            redacted,
            redactor,
            &scratch
        )
    }

    /// Writes what is left of a record that is not as most are: metadata that needs the general mapping, from where it
    /// begins; an error; and all again if it is too large.
    @inline(never)
    private func finish(
        _ event: LogEvent,
        _ thrown: (any Error)?,
        time: Int64,
        label: LabelFields,
        _ layers: Layers,
        metadataBegin: Int?,
        _ unpromoted: Unpromoted,
        _ redacted: [String: RedactedValue]?,
        _ redactor: Redactor,
        _ scratch: inout EncoderScratch
    ) {
        let isAboutError = thrown != nil
        var general: GeneralFields?
        if let metadataBegin {
            scratch.writer.truncate(to: metadataBegin)
            scratch.members.clear()
            let fields = self.fields(of: layers, unpromoted, redacted, isAboutError: isAboutError, redactor, scratch)
            scratch.redactions = fields.redactions
            self.append(fields, valueLimit: self.limits.valueBytes, to: &scratch)
            general = fields
        }
        var error: ErrorTexts?
        if let thrown {
            let texts = self.texts(of: thrown, redactor: redactor, &scratch.redactions)
            self.append(texts, valueLimit: self.limits.valueBytes, to: &scratch)
            error = texts
        }
        // A plain record without an error has its end already.
        if metadataBegin != nil || isAboutError { scratch.writer.append(UInt8(ascii: "}")) }
        guard scratch.writer.count > self.limits.recordBytes else { return }
        let fields =
            general ?? self.fields(of: layers, unpromoted, redacted, isAboutError: isAboutError, redactor, scratch)
        self.shrink(event, time: time, label: label, fields, error, into: &scratch)
    }

    /// Encodes an oversize record again with ever shorter values, in the end without its metadata.
    @inline(never)
    private func shrink(
        _ event: LogEvent,
        time: Int64,
        label: LabelFields,
        _ fields: GeneralFields,
        _ error: ErrorTexts?,
        into scratch: inout EncoderScratch
    ) {
        var fields = fields
        var isBare = false
        var valueLimit = self.limits.valueBytes
        let location = self.mapping.includesCodeLocation ? [event.source, event.file, event.function] : []
        let others = [event.message.description, error?.type, error?.message].compactMap { $0 } + location
        let longest = (others.lazy.map(\.utf8.count) + fields.fields.lazy.map(\.value.utf8.count)).max() ?? 0
        while scratch.writer.count > self.limits.recordBytes {
            if valueLimit > 128 {
                valueLimit /= 4
                // It would become the same record.
                if longest <= valueLimit { continue }
            } else if isBare {
                // The smallest record there is; the configuration's rules see to it that it fits.
                break
            } else {
                fields = self.fields(
                    of: [Self.omittedName: .string(String(fields.values))],
                    isAboutError: error != nil,
                    redactions: fields.redactions
                )
                isBare = true
            }
            scratch.writer.truncate(to: 0)
            scratch.repairs = RepairCounts()
            self.appendLeading(event, time: time, label: label, valueLimit: valueLimit, to: &scratch)
            self.append(fields, valueLimit: valueLimit, to: &scratch)
            if let error { self.append(error, valueLimit: valueLimit, to: &scratch) }
            scratch.writer.append(UInt8(ascii: "}"))
        }
        scratch.repairs[.oversizeRecord] += 1
    }

    // MARK: Default fields

    @inline(__always)
    private func appendLeading(
        _ event: LogEvent,
        time: Int64,
        label: LabelFields,
        valueLimit: Int,
        to scratch: inout EncoderScratch
    ) {
        scratch.writer.append(self.timeOpening)
        scratch.timestamp.append(time, to: &scratch.writer)
        scratch.writer.append(label.openings[event.level.rank])
        if label.isCut { scratch.repairs[.longValue] += 1 }
        self.appendValue(event.message.description, limit: valueLimit, to: &scratch)
        if self.mapping.includesCodeLocation { self.appendLocation(event, valueLimit: valueLimit, to: &scratch) }
        scratch.writer.append(UInt8(ascii: "\""))
    }

    @inline(__always)
    private func appendLocation(_ event: LogEvent, valueLimit: Int, to scratch: inout EncoderScratch) {
        let isKept =
            !event.hasGivenSource
            && scratch.callSites.append(
                file: event.file,
                function: event.function,
                line: event.line,
                encoder: self.identity,
                to: &scratch.writer
            )
        if !isKept { self.appendNewLocation(event, valueLimit: valueLimit, to: &scratch) }
    }

    @inline(never)
    private func appendNewLocation(_ event: LogEvent, valueLimit: Int, to scratch: inout EncoderScratch) {
        let start = scratch.writer.count
        scratch.writer.append(self.location[0])
        self.appendValue(event.source, limit: valueLimit, to: &scratch)
        scratch.writer.append(self.location[1])
        self.appendValue(event.file, limit: valueLimit, to: &scratch)
        scratch.writer.append(self.location[2])
        self.appendValue(event.function, limit: valueLimit, to: &scratch)
        scratch.writer.append(self.location[3])
        scratch.writer.append(decimal: UInt64(event.line))
        // A cut has to be counted each time, and may be elsewhere the next time.
        guard !event.hasGivenSource, scratch.repairs.isEmpty, valueLimit == self.limits.valueBytes else { return }
        scratch.writer.withBytes { bytes in
            scratch.callSites.keep(
                UnsafeRawBufferPointer(rebasing: bytes[start...]),
                file: event.file,
                function: event.function,
                line: event.line,
                encoder: self.identity
            )
        }
    }

    /// The texts of an event's error.
    private struct ErrorTexts {
        var type: String
        /// `nil` if it is left out.
        var message: String?
    }

    private func texts(of error: any Error, redactor: Redactor, _ redactions: inout Int) -> ErrorTexts {
        let redacted = redactor.redacted(self.mapping.errorMessage, .string("\(error)"), nesting: 0)
        redactions += redacted.redactions
        var texts = ErrorTexts(type: String(reflecting: Swift.type(of: error)))
        if case .string(let message) = redacted.value { texts.message = message }
        return texts
    }

    private func append(_ error: ErrorTexts, valueLimit: Int, to scratch: inout EncoderScratch) {
        scratch.writer.append(self.errorOpenings[0])
        self.appendValue(error.type, limit: valueLimit, to: &scratch)
        scratch.writer.append(UInt8(ascii: "\""))
        guard let message = error.message else { return }
        scratch.writer.append(self.errorOpenings[1])
        self.appendValue(message, limit: valueLimit, to: &scratch)
        scratch.writer.append(UInt8(ascii: "\""))
    }

    // MARK: Values

    /// Writes a value, cut between two scalars if it is longer than `limit` bytes.
    @inline(__always)
    func appendValue(_ text: String, limit: Int, to scratch: inout EncoderScratch) {
        let isWhole = text.withBytes { bytes in
            guard bytes.count <= limit else { return false }
            scratch.writer.append(escaping: bytes)
            return true
        }
        if !isWhole { self.appendCut(text, limit: limit, to: &scratch) }
    }

    @inline(never)
    private func appendCut(_ text: String, limit: Int, to scratch: inout EncoderScratch) {
        scratch.repairs[.longValue] += 1
        // Twenty digits and the words around them at the most.
        let kept = text.prefix(utf8Bytes: limit - 40)
        scratch.writer.append(escaping: kept)
        scratch.writer.append(literal: "\u{2026}[+")
        scratch.writer.append(decimal: UInt64(text.utf8.count - kept.utf8.count))
        scratch.writer.append(literal: " bytes]")
    }
}
