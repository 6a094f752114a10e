// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes logs for the page. The fields go through as the text they are stored in.
enum LogJSON {
    static func append(_ log: StoredLog, to bytes: inout [UInt8]) {
        func member(_ name: StaticString, _ text: String) {
            bytes.append(contentsOf: ",\"\(name)\":".utf8)
            JSONWriter.append(string: text, to: &bytes)
        }
        bytes.append(contentsOf: "{\"id\":\(log.id),\"time\":\(log.time)".utf8)
        bytes.append(
            contentsOf: ",\"received\":\(log.request.receivedAt.microseconds),\"request\":\(log.requestID)".utf8
        )
        member("severity", log.severity.name)
        member("project", log.request.project)
        member("logstore", log.request.logstore)
        member("topic", log.request.topic)
        member("source", log.request.source)
        bytes.append(contentsOf: ",\"tags\":".utf8)
        bytes.append(contentsOf: JSONWriter.object(log.request.tags).utf8)
        bytes.append(contentsOf: ",\"fields\":".utf8)
        bytes.append(contentsOf: log.log.json.utf8)
        bytes.append(UInt8(ascii: "}"))
    }

    /// An object whose member `logs` they are, and with the members given.
    static func object(_ logs: [StoredLog], _ members: [(name: String, value: JSONValue)]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(logs.count * 600 + 200)
        bytes.append(contentsOf: "{\"logs\":[".utf8)
        for (index, log) in logs.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            Self.append(log, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        for (name, value) in members {
            bytes.append(UInt8(ascii: ","))
            JSONWriter.append(string: name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(contentsOf: value.json.utf8)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

extension StoredLog {
    /// A log as ``LogJSON`` has written it; `nil` if it is something else. Of the request there is what belongs to it.
    package init?(json: JSONValue) {
        func int(_ name: String) -> Int64? {
            guard case .number(let text)? = json[name] else { return nil }
            return Int64(text)
        }
        func text(_ name: String) -> String? {
            guard case .string(let text)? = json[name] else { return nil }
            return text
        }
        func fields(_ name: String) -> [Field]? {
            guard case .object(let members)? = json[name] else { return nil }
            return members.compactMap { member in
                guard case .string(let value) = member.value else { return nil }
                return Field(member.name, value)
            }
        }
        guard let id = int("id"), let time = int("time"), let received = int("received"), let request = int("request"),
            let project = text("project"), let logstore = text("logstore"), let topic = text("topic"),
            let source = text("source"), let tags = fields("tags"), let fields = fields("fields")
        else { return nil }
        self.init(
            id: id,
            requestID: request,
            position: 0,
            time: time,
            severity: Severity.allCases.first { $0.name == text("severity") } ?? .none,
            request: StoredRequest(
                receivedAt: Date(microseconds: received),
                project: project,
                logstore: logstore,
                topic: topic,
                source: source,
                tags: tags,
                rawBytes: 0,
                wireBytes: 0,
                compression: .none,
                logCount: 0
            ),
            log: LogFields(fields)
        )
    }
}
