// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Why the page's interface does not answer what was asked.
struct WebError: Error {
    var status: HTTPResponse.Status
    var message: String
    /// Where in the search it is wrong: column from 1, and how many characters.
    var place: (column: Int, length: Int)?

    init(status: HTTPResponse.Status, message: String, place: (column: Int, length: Int)? = nil) {
        self.status = status
        self.message = message
        self.place = place
    }

    static func badRequest(_ message: String) -> Self { Self(status: .badRequest, message: message) }

    static func notFound(_ message: String) -> Self { Self(status: .notFound, message: message) }

    var response: Response {
        var members: [(name: String, value: JSONValue)] = [("message", .string(self.message))]
        if let place = self.place {
            members.append(("column", .int(place.column)))
            members.append(("length", .int(place.length)))
        }
        return .json(.object([("error", .object(members))]), status: self.status)
    }
}

extension JSONValue {
    static func int(_ value: some BinaryInteger) -> Self { .number(String(value)) }

    static func double(_ value: Double) -> Self { .number(value.isFinite ? String(value) : "0") }

    static func strings(_ values: some Sequence<String>) -> Self { .array(values.map { .string($0) }) }

    /// A member by its name; `nil` if there is none or this is no object.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }
}

extension Response {
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        .json(Array(value.json.utf8), status: status)
    }

    static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}
