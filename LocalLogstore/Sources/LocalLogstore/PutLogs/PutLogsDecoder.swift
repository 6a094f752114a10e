// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import SwiftProtobuf

/// Judges the body of a `POST /logstores/{name}/shards/lb`, a `LogGroup` of Protocol Buffers.
///
/// Pure. The headers are those of PutWebtracking, and so is the compression, but for zstd.
struct PutLogsDecoder: Sendable {
    private let track: PutWebtrackingDecoder

    init(track: PutWebtrackingDecoder) {
        var track = track
        track.compressions.append(.zstd)
        self.track = track
    }

    /// Decodes a request, or throws the answer that the service would give.
    func decode(
        _ input: PutWebtrackingDecoder.Input,
        contentType: String?,
        now: Date
    ) throws(ServiceError) -> PutWebtrackingDecoder.Output {
        guard let contentType else {
            throw ServiceError(status: 400, code: "MissingContentType", message: "The header Content-Type is missing.")
        }
        guard contentType == "application/x-protobuf" else {
            throw ServiceError(
                status: 400,
                code: "InvalidContentType",
                message: "Content-Type \(contentType) is unsupported."
            )
        }
        let expanded = try self.track.expand(input)
        return PutWebtrackingDecoder.Output(
            group: try self.group(expanded.raw, now: now),
            compression: expanded.compression,
            rawBytes: expanded.raw.count,
            wireBytes: input.body.count
        )
    }

    private func group(_ raw: [UInt8], now: Date) throws(ServiceError) -> LogGroup {
        let message: PutLogs_LogGroup
        do {
            message = try PutLogs_LogGroup(serializedBytes: raw)
        } catch {
            throw .bodyInvalid("The request body is not a LogGroup: \(error).")
        }
        guard self.hasNothingUnknown(message) else { throw .bodyInvalid("The LogGroup has fields that are not known.") }
        let limits = self.track.limits
        guard !message.logs.isEmpty else { throw .bodyInvalid("The LogGroup holds no logs.") }
        guard message.logs.count <= limits.logs else {
            throw .bodyTooLarge("The request holds over \(limits.logs) logs.")
        }
        for (name, text) in [("topic", message.topic), ("source", message.source)]
        where text.utf8.count > limits.topicBytes {
            throw .bodyInvalid("The \(name) is over \(limits.topicBytes) bytes.")
        }
        var logs: [LogFields] = []
        for log in message.logs { logs.append(try self.fields(of: log, now: now)) }
        guard message.logTags.count <= limits.fields else {
            throw .bodyInvalid("The request has over \(limits.fields) tags.")
        }
        var tags: [Field] = []
        for tag in message.logTags {
            try self.check(key: tag.key, value: tag.value)
            guard !Names.isReservedTag(Array(tag.key.utf8)[...]) else {
                throw .bodyInvalid("The tag \(tag.key) is reserved.")
            }
            tags.append(Field(tag.key, tag.value))
        }
        return LogGroup(topic: message.topic, source: message.source, tags: tags, logs: logs)
    }

    private func fields(of log: PutLogs_Log, now: Date) throws(ServiceError) -> LogFields {
        // Seven days back, and fifteen minutes ahead.
        let age = now.timeIntervalSince1970 - Double(log.time)
        guard age <= 7 * 86_400, age >= -900 else {
            throw .bodyInvalid("The time \(log.time) of a log is out of range.")
        }
        guard !log.hasTimeNs || log.timeNs < 1_000_000_000 else {
            throw .bodyInvalid("The nanoseconds of a log are over a second.")
        }
        guard !log.contents.isEmpty else { throw .bodyInvalid("A log has no fields.") }
        guard log.contents.count <= self.track.limits.fields else {
            throw .bodyInvalid("A log has over \(self.track.limits.fields) fields.")
        }
        var names = Set<String>()
        var fields: [Field] = []
        for content in log.contents {
            try self.check(key: content.key, value: content.value)
            guard content.key != "__time__", !Names.isReservedField(Array(content.key.utf8)[...]) else {
                throw .bodyInvalid("The key \(content.key) is reserved.")
            }
            guard names.insert(content.key).inserted else { throw .bodyInvalid("The key \(content.key) occurs twice.") }
            fields.append(Field(content.key, content.value))
        }
        var result = LogFields(fields)
        result.time = Int64(log.time) * 1_000_000 + Int64(log.timeNs) / 1_000
        return result
    }

    private func check(key: String, value: String) throws(ServiceError) {
        let limits = self.track.limits
        guard (1...limits.keyBytes).contains(key.utf8.count) else {
            throw .keyInvalid("A key has to be of 1 to \(limits.keyBytes) bytes.")
        }
        guard value.utf8.count <= limits.valueBytes else {
            throw .bodyInvalid("A value is over \(limits.valueBytes) bytes.")
        }
    }

    private func hasNothingUnknown(_ message: PutLogs_LogGroup) -> Bool {
        guard self.track.mode == .strict else { return true }
        return message.unknownFields.data.isEmpty && message.logTags.allSatisfy { $0.unknownFields.data.isEmpty }
            && message.logs.allSatisfy { log in
                log.unknownFields.data.isEmpty && log.contents.allSatisfy { $0.unknownFields.data.isEmpty }
            }
    }
}
