//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if SwiftLog
import Logging
#endif

/// Turns one log event into the bytes of one JSON object whose values are all strings.
///
/// The sequence number is not among them: the topic's buffer writes it in front, so that its order is the order of the
/// records in the topic (see ``Segment``).
struct RecordEncoder: Sendable {
    /// The sizes that records are held to, in bytes of UTF-8.
    struct Limits: Sendable {
        /// The longest value, before JSON's escapes.
        var valueBytes: Int
        /// The largest record, encoded, without its sequence number.
        var recordBytes: Int
        /// Dictionaries nested deeper become JSON text.
        var nesting: Int
    }

    /// One event with everything that belongs into its record.
    struct Input {
        var event: LogEvent
        /// Nanoseconds since 1970 at which the event was logged.
        var time: Int64
        var handlerFields: HandlerFields
        var handlerMetadata: LogMetadata
        var provided: LogMetadata?
        /// Which metadata that would be promoted to topic or tags stays among the fields.
        var unpromoted = Unpromoted.none
    }

    /// Metadata that stays among the fields although the configuration would promote it.
    enum Unpromoted: Equatable {
        case none
        case keys([String])
        case all
    }

    /// A label longer than this is cut.
    static let longestLabel = 1024
    /// The field that tells how many metadata values did not fit into an oversize record.
    static let omittedName = "metadata.omitted"

    let limits: Limits
    private let mapping: FieldMapping
    /// The metadata keys that become topic or tags instead of fields.
    private let promoted: [String]
    private let timeOpening: [UInt8]
    /// By rank: from the end of the time value to the beginning of the label value.
    private let levels: [[UInt8]]
    private let messageOpening: [UInt8]
    private let location: [[UInt8]]
    private let errorOpenings: [[UInt8]]
    private let leadingNames: [UInt64]
    private let errorNames: [UInt64]

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
        self.leadingNames = mapping.leading.map { NameHash.of($0) }
        self.errorNames = mapping.error.map { NameHash.of($0) }
    }

    /// Whether a metadata key becomes part of the topic or a tag.
    @inline(__always)
    func isPromoted(_ key: String) -> Bool {
        !self.promoted.isEmpty && self.promoted.contains(key)
    }

    /// Writes the record of `input` into the scratch memory, within the limits.
    func encode(_ input: Input, into scratch: EncoderScratch) {
        self.write(input, valueLimit: self.limits.valueBytes, into: scratch)
        if scratch.writer.count > self.limits.recordBytes { self.shrink(input, into: scratch) }
    }

    /// Encodes an oversize record again with ever shorter values, in the end without its metadata.
    private func shrink(_ input: Input, into scratch: EncoderScratch) {
        var input = input
        var isBare = false
        var valueLimit = self.limits.valueBytes
        while scratch.writer.count > self.limits.recordBytes {
            if valueLimit > 128 {
                valueLimit /= 4
            } else if isBare {
                // The smallest record there is; the configuration's rules see to it that it fits.
                break
            } else {
                let count = self.merged(input).count
                input.event.metadata = [Self.omittedName: .string(String(count))]
                input.handlerMetadata = [:]
                input.provided = nil
                isBare = true
            }
            scratch.writer.truncate(to: 0)
            scratch.repairs = RepairCounts()
            self.write(input, valueLimit: valueLimit, into: scratch, generally: true)
        }
        scratch.repairs[.oversizeRecord] += 1
    }

    private func write(_ input: Input, valueLimit: Int, into scratch: EncoderScratch, generally: Bool = false) {
        let event = input.event
        scratch.writer.append(self.timeOpening)
        scratch.timestamp.append(input.time, to: &scratch.writer)
        scratch.writer.append(self.levels[event.level.rank])
        scratch.writer.append(input.handlerFields.label)
        if input.handlerFields.isLabelCut { scratch.repairs[.longValue] += 1 }
        scratch.writer.append(self.messageOpening)
        self.appendValue(event.message.description, limit: valueLimit, to: scratch)
        if self.mapping.includesCodeLocation {
            scratch.writer.append(self.location[0])
            self.appendValue(event.source, limit: valueLimit, to: scratch)
            scratch.writer.append(self.location[1])
            self.appendValue(event.file, limit: valueLimit, to: scratch)
            scratch.writer.append(self.location[2])
            self.appendValue(event.function, limit: valueLimit, to: scratch)
            scratch.writer.append(self.location[3])
            scratch.writer.append(decimal: UInt64(event.line))
        }
        scratch.writer.append(UInt8(ascii: "\""))

        let end = scratch.writer.count
        let repairs = scratch.repairs
        if generally || !self.appendPlainMetadata(input, valueLimit: valueLimit, to: scratch) {
            scratch.writer.truncate(to: end)
            scratch.repairs = repairs
            self.appendMetadata(input, valueLimit: valueLimit, to: scratch)
        }
        if let error = event.error {
            scratch.writer.append(self.errorOpenings[0])
            self.appendValue(String(reflecting: type(of: error)), limit: valueLimit, to: scratch)
            scratch.writer.append(literal: "\"")
            scratch.writer.append(self.errorOpenings[1])
            self.appendValue("\(error)", limit: valueLimit, to: scratch)
            scratch.writer.append(literal: "\"")
        }
        scratch.writer.append(UInt8(ascii: "}"))
    }

    // MARK: Metadata

    /// Writes metadata that needs no repair, and says `false` if it met something that does: then what was written is of
    /// no use. Layers are walked, not merged; a name that comes up twice, even rightly, is left to the general mapping.
    private func appendPlainMetadata(_ input: Input, valueLimit: Int, to scratch: EncoderScratch) -> Bool {
        guard input.handlerFields.isPlain, input.unpromoted == .none else { return false }
        scratch.names.removeAll(keepingCapacity: true)
        if input.event.error != nil {
            // The handler's members were written without knowing of an error.
            guard !input.handlerFields.names.contains(where: self.errorNames.contains) else { return false }
            scratch.names.append(contentsOf: self.errorNames)
        }
        scratch.names.append(contentsOf: input.handlerFields.names)
        scratch.writer.append(input.handlerFields.members)
        if let provided = input.provided {
            guard self.appendPlain(provided, valueLimit: valueLimit, to: scratch) else { return false }
        }
        if let metadata = input.event.metadata {
            guard self.appendPlain(metadata, valueLimit: valueLimit, to: scratch) else { return false }
        }
        return true
    }

    private func appendPlain(_ metadata: LogMetadata, valueLimit: Int, to scratch: EncoderScratch) -> Bool {
        for (key, value) in metadata where !self.isPromoted(key) {
            guard self.appendPlainName(key, to: &scratch.writer, names: &scratch.names) else { return false }
            switch value {
            case .string(let text):
                self.appendValue(text, limit: valueLimit, to: scratch)
            case .stringConvertible(let value):
                self.appendValue(value.description, limit: valueLimit, to: scratch)
            case .dictionary, .array:
                return false
            }
            scratch.writer.append(UInt8(ascii: "\""))
        }
        return true
    }

    /// Writes `,"key":"` if the key needs no repair and its name is not among `names` or the default fields.
    func appendPlainName(_ key: String, to writer: inout ByteWriter, names: inout [UInt64]) -> Bool {
        var key = key
        return key.withUTF8 { bytes in
            guard FieldName.isPlain(bytes) else { return false }
            let hash = NameHash.of(bytes)
            // Equal hashes may be of different names; the general mapping will tell.
            guard !names.contains(hash), !self.leadingNames.contains(hash) else { return false }
            names.append(hash)
            writer.append(literal: ",\"")
            writer.append(escaping: bytes)
            writer.append(literal: "\":\"")
            return true
        }
    }

    /// Writes metadata by the general mapping.
    private func appendMetadata(_ input: Input, valueLimit: Int, to scratch: EncoderScratch) {
        var taken = Set(self.mapping.leading)
        if input.event.error != nil { taken.formUnion(self.mapping.error) }
        var resolver = MetadataResolver(deepestNesting: self.limits.nesting)
        let fields = resolver.fields(of: self.merged(input), taken: taken)
        scratch.repairs += resolver.repairs
        for field in fields {
            scratch.writer.append(literal: ",\"")
            scratch.writer.append(escaping: field.name)
            scratch.writer.append(literal: "\":\"")
            self.appendValue(field.value, limit: valueLimit, to: scratch)
            scratch.writer.append(UInt8(ascii: "\""))
        }
    }

    /// The layers of metadata as one, in swift-log's order: handler, then provider, then event.
    private func merged(_ input: Input) -> LogMetadata {
        var merged = input.handlerMetadata
        if let provided = input.provided { merged.merge(provided) { _, later in later } }
        if let metadata = input.event.metadata { merged.merge(metadata) { _, later in later } }
        guard !self.promoted.isEmpty else { return merged }
        switch input.unpromoted {
        case .all: return merged
        case .none: return merged.filter { !self.isPromoted($0.key) }
        case .keys(let keys): return merged.filter { keys.contains($0.key) || !self.isPromoted($0.key) }
        }
    }

    // MARK: Values

    /// Writes a value, cut between two scalars if it is longer than `limit` bytes.
    private func appendValue(_ text: String, limit: Int, to scratch: EncoderScratch) {
        let count = text.utf8.count
        guard count > limit else {
            scratch.writer.append(escaping: text)
            return
        }
        scratch.repairs[.longValue] += 1
        // Twenty digits and the words around them at the most.
        let kept = text.prefix(utf8Bytes: limit - 40)
        scratch.writer.append(escaping: kept)
        scratch.writer.append(literal: "\u{2026}[+")
        scratch.writer.append(decimal: UInt64(count - kept.utf8.count))
        scratch.writer.append(literal: " bytes]")
    }
}
