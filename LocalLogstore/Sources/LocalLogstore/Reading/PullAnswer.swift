// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwiftProtobuf

/// Writes requests as PullLogs answers them: a `LogGroupList` of Protocol Buffers, whose only field is its groups.
struct PullAnswer {
    /// Answers end with the group that makes them larger than this.
    static let maximumBytes = 10 << 20

    private(set) var bytes: [UInt8] = []
    private(set) var count = 0

    mutating func append(_ request: StoredRequest, _ logs: [StoredLog]) throws {
        var group = PutLogs_LogGroup()
        group.topic = request.topic
        group.source = request.source
        group.logTags = request.tags.map { tag in
            .with {
                $0.key = tag.name
                $0.value = tag.value
            }
        }
        group.logs = logs.map { stored in
            .with { log in
                log.time = UInt32(clamping: stored.seconds)
                if stored.nanoseconds > 0 { log.timeNs = UInt32(stored.nanoseconds) }
                log.contents = stored.log.fields.map { field in
                    .with {
                        $0.key = field.name
                        $0.value = field.value
                    }
                }
            }
        }
        let encoded: [UInt8] = try group.serializedBytes()
        self.bytes.append(1 << 3 | 2)
        var length = encoded.count
        while length >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        self.bytes.append(UInt8(length))
        self.bytes += encoded
        self.count += 1
    }
}

/// Where a reader of a shard goes on: with the log of this number, or the first behind it.
///
/// The number of a log is never given again; that of a request is, after a clear.
struct PullCursor {
    var log: Int64

    init(log: Int64) {
        self.log = log
    }

    /// Throws what the service answers for a text that no answer had.
    init(_ text: String?) throws(ServiceError) {
        guard let decoded = Data(base64Encoded: text ?? ""),
            let log = Int64(String(decoding: decoded, as: UTF8.self)), log > 0
        else { throw Self.unknown }
        self.log = log
    }

    var text: String { Data(String(self.log).utf8).base64EncodedString() }

    static let unknown = ServiceError(
        status: 400,
        code: "InvalidCursor",
        message: "The cursor is not one of an answer."
    )
}
