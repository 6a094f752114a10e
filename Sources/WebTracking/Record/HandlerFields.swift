// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// The fields that a handler adds to each of its records, encoded once when it is made or its metadata is set.
///
/// Values that compute their description are asked for it at that time, as swift-log's `StreamLogHandler` does; where the
/// general mapping is needed, they are asked again for each record.
struct HandlerFields: Sendable {
    /// The handler's metadata.
    let metadata: LogMetadata
    /// The metadata as JSON members in their order, each with a comma before it.
    let members: [OrderedMembers.Ready]
    /// The bytes of ``members``.
    let text: [UInt8]
    /// Whether `text` may be copied as it is: no value is dropped.
    let isWhole: Bool
    /// Whether the members stand for the metadata. Otherwise something in it needs the general mapping.
    let isPlain: Bool
    /// Whether one of the members has the name of a field that only records with an error have.
    let claimsErrorName: Bool
    /// The redactor under which the members were made.
    let redactor: UInt64
    /// How many values it has changed.
    let redactions: Int

    /// - Parameter isReady: Whether the members are made now, for which values may be asked for their descriptions.
    init(metadata: LogMetadata, encoder: RecordEncoder, redactor: Redactor, isReady: Bool = true) {
        self.metadata = metadata
        self.redactor = redactor.identity
        guard isReady && !metadata.isEmpty else {
            (self.members, self.text) = ([], [])
            self.isWhole = true
            self.isPlain = isReady
            self.redactions = 0
            self.claimsErrorName = false
            return
        }
        var gathered = OrderedMembers()
        var isPlain = true
        var isWhole = true
        var claimsErrorName = false
        values: for (key, original) in metadata where !encoder.isPromoted(key) {
            switch original {
            case .string, .stringConvertible: break
            case .dictionary, .array:
                isPlain = false
                break values
            }
            let redacted = redactor.redacted(key, original, nesting: encoder.limits.nesting)
            gathered.redactions += redacted.redactions
            guard let value = redacted.value else {
                isWhole = false
                // Kept in mind, since where another layer outranks it nothing is dropped.
                guard let plain = PlainKey.append(key, to: &gathered.text),
                    gathered.endMember(plain.beginning, marks: OrderedMembers.isDropped)
                else {
                    isPlain = false
                    break values
                }
                continue
            }
            guard case .string(let text) = value, text.utf8.count <= encoder.limits.valueBytes,
                let plain = PlainKey.append(key, to: &gathered.text), !encoder.leadingNames.contains(plain, key)
            else {
                isPlain = false
                break
            }
            gathered.text.append(escaping: text)
            gathered.text.append(UInt8(ascii: "\""))
            if encoder.errorNames.contains(plain, key) { claimsErrorName = true }
            let marks = redacted.redactions > 0 ? OrderedMembers.isRedacted : 0
            if !gathered.endMember(plain.beginning, marks: marks) { isPlain = false }
        }
        (self.members, self.text) = isPlain ? gathered.ready() : ([], [])
        self.isWhole = isWhole
        self.isPlain = isPlain
        self.redactions = gathered.redactions
        self.claimsErrorName = claimsErrorName
    }
}

/// The bytes of a record from the end of the time to the beginning of the message, for each level, with the logger's
/// label in them.
final class LabelFields: Sendable {
    /// By rank.
    let openings: [[UInt8]]
    /// Whether the label was too long.
    let isCut: Bool

    init(label: String, encoder: RecordEncoder) {
        let shortened = label.prefix(utf8Bytes: RecordEncoder.longestLabel)
        self.isCut = shortened.utf8.count < label.utf8.count
        self.openings = LogLevel.ranked.map { encoder.opening(level: $0, label: shortened) }
    }
}
