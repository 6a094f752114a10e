// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What all records of one request share: a topic, and the tags that were promoted from metadata.
package struct TopicKey: Hashable, Sendable {
    /// A promoted tag.
    package struct Tag: Hashable, Sendable {
        package var key: String
        package var value: String
    }

    package var topic: String
    /// In the order of the configuration.
    package var tags: [Tag]

    /// Compares bytes: for the standard library, canonically equivalent strings are equal, although their bytes differ.
    package static func == (left: TopicKey, right: TopicKey) -> Bool {
        left.topic == right.topic && left.tags == right.tags && left.topic.utf8.elementsEqual(right.topic.utf8)
            && left.tags.elementsEqual(right.tags) { $0.value.utf8.elementsEqual($1.value.utf8) }
    }

    package init(topic: String, tags: [Tag] = []) {
        self.topic = topic
        self.tags = tags
    }

    /// The longest topic, in bytes of UTF-8 (service limit).
    package static let maximumTopicBytes = 128
    /// The longest value that becomes a tag. The service documents no limit; a longer value is not a useful tag.
    package static let maximumTagBytes = 128
}

/// The part of a request body around the records.
struct Envelope: Sendable {
    /// From `{"__topic__":…` to the batch's number.
    private let opening: [UInt8]
    /// From the end of the batch's number (or from the beginning, if batches have no id) to `"__logs__":[`.
    private let rest: [UInt8]
    private let hasBatchID: Bool

    /// `]}`
    static let footer: [UInt8] = Array("]}".utf8)
    /// Stands between two records. No record contains a line feed, so records can be split there.
    static let separator: [UInt8] = Array(",\n".utf8)
    static let footerCount = 2
    static let separatorCount = 2
    /// The tag for the batch id. Official senders use it with this operation too, and the service's log context uses
    /// it. The id is a prefix for each producer, a hyphen, and a hexadecimal number that counts the producer's batches.
    static let batchTag = "__pack_id__"

    /// - Parameter batchPrefix: The prefix of the ids of all batches of this topic; `nil` for batches without an id.
    init(key: TopicKey, source: String, staticTags: [(key: String, value: String)], batchPrefix: UInt64?) {
        var writer = ByteWriter(capacity: 256)
        writer.append(literal: "{\"__topic__\":\"")
        writer.append(escaping: key.topic)
        writer.append(literal: "\",\"__source__\":\"")
        writer.append(escaping: source)
        writer.append(UInt8(ascii: "\""))
        let tags = staticTags + key.tags.map { ($0.key, $0.value) }
        self.hasBatchID = batchPrefix != nil
        if batchPrefix != nil || !tags.isEmpty { writer.append(literal: ",\"__tags__\":{") }
        if let batchPrefix {
            writer.append(Array("\"\(Self.batchTag)\":\"".utf8))
            writer.append(escaping: batchPrefix.hexadecimal.uppercased())
            writer.append(UInt8(ascii: "-"))
        }
        self.opening = writer.withBytes { Array($0) }
        writer.truncate(to: 0)
        if batchPrefix != nil { writer.append(UInt8(ascii: "\"")) }
        for (index, tag) in tags.enumerated() {
            writer.append(Array((index == 0 && batchPrefix == nil ? "\"" : ",\"").utf8))
            writer.append(escaping: tag.key)
            writer.append(literal: "\":\"")
            writer.append(escaping: tag.value)
            writer.append(UInt8(ascii: "\""))
        }
        if batchPrefix != nil || !tags.isEmpty { writer.append(UInt8(ascii: "}")) }
        writer.append(literal: ",\"__logs__\":[")
        self.rest = writer.withBytes { Array($0) }
    }

    /// The largest number of bytes in a header.
    var longestHeader: Int { self.opening.count + 16 + self.rest.count }

    /// The size of ``header(batch:)``.
    func headerCount(batch: UInt64) -> Int {
        let digits = self.hasBatchID ? (67 - max(batch, 1).leadingZeroBitCount) / 4 : 0
        return self.opening.count + digits + self.rest.count
    }

    /// The bytes before the records of the batch with this number, and the end of the batch id in them (0 if there is
    /// none).
    func header(batch: UInt64) -> (bytes: [UInt8], batchIDEnd: Int) {
        guard self.hasBatchID else { return (self.opening + self.rest, 0) }
        let opening = self.opening + Array(String(batch, radix: 16, uppercase: true).utf8)
        return (opening + self.rest, opening.count)
    }
}
