//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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

    package init(topic: String, tags: [Tag] = []) {
        self.topic = topic
        self.tags = tags
    }

    /// The longest topic, in bytes of UTF-8 (service limit).
    package static let maximumTopicBytes = 128
    /// The longest value that is promoted to a tag. The service documents no limit; a longer value is no label.
    package static let maximumTagBytes = 128
}

/// The beginning of a request body, up to where the logs start.
struct Envelope: Sendable {
    /// `{"__topic__":…,"__source__":…,"__tags__":{…},"__logs__":[`
    let header: [UInt8]
    /// `]}`
    static let footer: [UInt8] = Array("]}".utf8)
    /// Between two records. The line feed cannot occur inside a record, so the records can be told apart by it.
    static let separator: [UInt8] = Array(",\n".utf8)
    static let footerCount = 2
    static let separatorCount = 2

    init(key: TopicKey, source: String, staticTags: [(key: String, value: String)]) {
        var writer = ByteWriter(capacity: 256)
        writer.append(literal: "{\"__topic__\":\"")
        writer.append(escaping: key.topic)
        writer.append(literal: "\",\"__source__\":\"")
        writer.append(escaping: source)
        writer.append(UInt8(ascii: "\""))
        let tags = staticTags + key.tags.map { ($0.key, $0.value) }
        if !tags.isEmpty {
            writer.append(literal: ",\"__tags__\":{")
            for (index, tag) in tags.enumerated() {
                writer.append(Array((index == 0 ? "\"" : ",\"").utf8))
                writer.append(escaping: tag.key)
                writer.append(literal: "\":\"")
                writer.append(escaping: tag.value)
                writer.append(UInt8(ascii: "\""))
            }
            writer.append(UInt8(ascii: "}"))
        }
        writer.append(literal: ",\"__logs__\":[")
        self.header = writer.withBytes { Array($0) }
    }
}
