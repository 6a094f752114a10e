// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What the records of one request have in common: a topic, and the tags that were promoted from metadata.
package struct TopicKey: Hashable, Sendable {
    /// A promoted tag.
    package struct Tag: Hashable, Sendable {
        package var key: String
        package var value: String
    }

    package var topic: String
    /// In the order in which the configuration names them.
    package var tags: [Tag]

    /// Byte for byte: to the standard library, strings are equal that only a reader takes for one.
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
    /// The longest value that is promoted to a tag. The service documents no limit; a longer value is no label.
    package static let maximumTagBytes = 128
}

/// What a request body carries around its records.
struct Envelope: Sendable {
    /// From `{"__topic__":…` to the number of the batch.
    private let opening: [UInt8]
    /// From the end of the batch's number, or from the beginning where batches have none, to `"__logs__":[`.
    private let rest: [UInt8]
    private let hasBatchID: Bool

    /// `]}`
    static let footer: [UInt8] = Array("]}".utf8)
    /// Between two records. The line feed cannot occur inside a record, so the records can be told apart by it.
    static let separator: [UInt8] = Array(",\n".utf8)
    static let footerCount = 2
    static let separatorCount = 2
    /// The tag of the batch id. Official senders use it on this operation too, and the service's log context follows it:
    /// a prefix for each producer, a hyphen, and a hexadecimal number that counts its batches.
    static let batchTag = "__pack_id__"

    /// - Parameter batchPrefix: What the ids of all batches of this topic begin with; `nil` for batches without an id.
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

    /// The most bytes that a header has.
    var longestHeader: Int { self.opening.count + 16 + self.rest.count }

    /// What stands before the records of the batch with this number, and where the batch id ends in it (0 without one).
    func header(batch: UInt64) -> (bytes: [UInt8], batchIDEnd: Int) {
        guard self.hasBatchID else { return (self.opening + self.rest, 0) }
        let opening = self.opening + Array(String(batch, radix: 16, uppercase: true).utf8)
        return (opening + self.rest, opening.count)
    }
}
