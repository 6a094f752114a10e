// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// An answer other than success: what the service says, and with which status.
public struct ServiceError: Error, Sendable, Equatable {
    /// The HTTP status.
    public var status: Int
    public var code: String
    public var message: String
    /// The value of a `Retry-After` header, in seconds; `nil` for none.
    public var retryAfter: Int?

    public init(status: Int, code: String, message: String, retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    /// The body of the answer.
    public var json: String {
        JSONWriter.object([Field("errorCode", self.code), Field("errorMessage", self.message)])
    }
}

extension ServiceError {
    static func bodyInvalid(_ message: String) -> Self {
        Self(status: 400, code: "PostBodyInvalid", message: message)
    }

    static func keyInvalid(_ message: String) -> Self {
        Self(status: 400, code: "InvalidKey", message: message)
    }

    static func parameterInvalid(_ message: String) -> Self {
        Self(status: 400, code: "ParameterInvalid", message: message)
    }

    static func bodyTooLarge(_ message: String, status: Int = 400) -> Self {
        Self(status: status, code: "PostBodyTooLarge", message: message)
    }

    static func uncompress(_ message: String) -> Self {
        Self(status: 400, code: "PostBodyUncompressError", message: message)
    }

    static func projectNotExist(_ project: String) -> Self {
        Self(status: 404, code: "ProjectNotExist", message: "The project \(project) does not exist.")
    }

    static func logstoreNotExist(_ logstore: String) -> Self {
        Self(status: 404, code: "LogStoreNotExist", message: "The logstore \(logstore) does not exist.")
    }

    static func trackingOff(_ logstore: String) -> Self {
        Self(
            status: 401,
            code: "Unauthorized",
            message: "The logstore \(logstore) does not accept the web tracking api."
        )
    }

    static let internalError = Self(
        status: 500,
        code: "InternalServerError",
        message: "The request could not be served."
    )

    /// Checks the version that a header or a query parameter states.
    static func checkVersion(_ version: String?) throws(ServiceError) {
        switch version {
        case nil:
            throw Self(status: 400, code: "MissingAPIVersion", message: "The API version is not stated.")
        case "0.6.0"?:
            return
        case let other?:
            throw Self(
                status: 400,
                code: "InvalidAPIVersion",
                message: "The API version \(other) is not 0.6.0."
            )
        }
    }
}
