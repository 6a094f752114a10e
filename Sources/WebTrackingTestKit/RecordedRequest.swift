// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import WebTracking

/// A request, parsed as the service would.
public struct RecordedRequest: Sendable {
    /// The request as the transport got it.
    public let request: TransportRequest
    /// The body before compression.
    public let rawBody: [UInt8]
    /// The topic of all records.
    public let topic: String
    /// The source of all records.
    public let source: String
    /// The tags of all records.
    public let tags: [String: String]
    /// The records, each with its fields.
    public let logs: [[String: String]]

    /// Parses a request. Throws ``Malformed`` if the service would refuse it as malformed.
    public init(_ request: TransportRequest) throws {
        guard let size = request.header("x-log-bodyrawsize").flatMap({ Int($0) }) else {
            throw Malformed(reason: "no x-log-bodyrawsize")
        }
        guard request.header("Content-Type") != "application/x-protobuf" else {
            throw Malformed(
                reason:
                    "the body is protobuf, since requests are signed; set authentication = .anonymous for this transport"
            )
        }
        let raw = Compression.decompress(
            request.body,
            headerValue: request.header("x-log-compresstype"),
            rawSize: size
        )
        guard let raw else { throw Malformed(reason: "the body is not \(size) bytes compressed as announced") }
        guard case .object(let members) = try JSONValue.parse(raw) else {
            throw Malformed(reason: "the body is not an object")
        }
        self.request = request
        self.rawBody = raw
        var topic = ""
        var source = ""
        var tags: [String: String] = [:]
        var logs: [[String: String]] = []
        for (name, value) in members {
            switch (name, value) {
            case ("__topic__", .string(let text)): topic = text
            case ("__source__", .string(let text)): source = text
            case ("__tags__", .object(let values)): tags = try Self.strings(values)
            case ("__logs__", .array(let values)):
                logs = try values.map { value in
                    guard case .object(let fields) = value else { throw Malformed(reason: "a log is not an object") }
                    return try Self.strings(fields)
                }
            default: throw Malformed(reason: "unexpected member \(name)")
            }
        }
        self.topic = topic
        self.source = source
        self.tags = tags
        self.logs = logs
    }

    /// Why a request is malformed.
    public struct Malformed: Error, Sendable, CustomStringConvertible {
        /// The reason.
        public var reason: String
        /// The reason.
        public var description: String { self.reason }
    }

    private static func strings(_ members: [(name: String, value: JSONValue)]) throws -> [String: String] {
        var result: [String: String] = [:]
        for (name, value) in members {
            guard case .string(let text) = value else { throw Malformed(reason: "the value of \(name) is no string") }
            guard result.updateValue(text, forKey: name) == nil else { throw Malformed(reason: "\(name) twice") }
        }
        return result
    }
}
