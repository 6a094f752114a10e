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

/// What a handler adds to each of its records, encoded once when the handler is made or its metadata is set.
///
/// Values that compute their description are asked for it at that time, as swift-log's `StreamLogHandler` does; where the
/// general mapping is needed, they are asked again for each record.
struct HandlerFields: Sendable {
    /// The value of the label field, escaped.
    let label: [UInt8]
    /// Whether the label was too long.
    let isLabelCut: Bool
    /// The handler's metadata as JSON members, each with a comma before it.
    let members: [UInt8]
    /// The hashes of the names in `members`.
    let names: [UInt64]
    /// Whether `members` may be copied as it is. Otherwise something in the metadata needs the general mapping.
    let isPlain: Bool

    init(label: String, metadata: LogMetadata, encoder: RecordEncoder) {
        var writer = ByteWriter(capacity: 256)
        let shortened = label.prefix(utf8Bytes: RecordEncoder.longestLabel)
        writer.append(escaping: shortened)
        self.label = writer.withBytes { Array($0) }
        self.isLabelCut = shortened.utf8.count < label.utf8.count
        writer.reset(keeping: 256)

        var names: [UInt64] = []
        var isPlain = true
        for (key, value) in metadata where !encoder.isPromoted(key) {
            guard let text = MetadataText.leaf(value), text.utf8.count <= encoder.limits.valueBytes else {
                isPlain = false
                break
            }
            guard encoder.appendPlainName(key, to: &writer, names: &names) else {
                isPlain = false
                break
            }
            writer.append(escaping: text)
            writer.append(UInt8(ascii: "\""))
        }
        self.members = isPlain ? writer.withBytes { Array($0) } : []
        self.names = isPlain ? names : []
        self.isPlain = isPlain
    }
}
