// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The service's answer to a request that it did not accept.
public struct ServiceError: Sendable, Equatable, CustomStringConvertible {
    /// The HTTP status.
    public var status: Int
    /// The service's `errorCode`; empty if the answer had none.
    public var code: String
    /// The service's `errorMessage`, or the beginning of a body that is not the service's JSON.
    public var message: String
    /// The id that the service's support asks for; `nil` if the answer does not come from the service.
    public var requestID: String?

    /// The target of a redirect, which no transport follows; `nil` if there is none.
    public var location: String?

    /// The error in one line.
    public var description: String {
        let code = self.code.isEmpty ? "" : " \(self.code)"
        let message = self.message.isEmpty ? "" : ": \(self.message)"
        let id = self.requestID.map { " (request id \($0))" } ?? " (no request id: not an answer of the service)"
        let location = self.location.map { ", redirects to \($0)" } ?? ""
        return "HTTP \(self.status)\(code)\(location)\(message)\(id)"
    }

    /// Whether a quota of the project or of a shard was exceeded: `WriteQuotaExceed` or `ShardWriteQuotaExceed`, for example.
    var isQuota: Bool { self.code.contains("Quota") }

    /// Whether the time of a signature is too far from the service's time.
    var isClockError: Bool {
        // The service has changed the code over time. It accepts a difference of 15 minutes.
        ["RequestTimeExpired", "RequestTimeTooSkewed", "InvalidRequestTime"].contains(self.code)
    }

    /// Whether the credentials of a signature are wrong or expired. A retry with other credentials, or later, may
    /// succeed.
    var isCredentialsError: Bool {
        guard self.status == 401 || self.status == 403 else { return false }
        if ["SignatureNotMatch", "InvalidAccessKeyId"].contains(self.code) || self.code.contains("SecurityToken") {
            return true
        }
        // Most of these answers have the same code as a missing permission.
        return self.code == "Unauthorized"
            && ["security token", "AccessKeyId"].contains { self.message.contains($0) }
    }

    /// Whether the error is in the parts of the request around the records, so that other records would fail, too.
    var isRequestError: Bool {
        let code = self.code
        return [
            "Missing", "InvalidAPI", "InvalidCompress", "InvalidBodyRaw", "InvalidContent", "InvalidHost",
            "InvalidDate",
        ]
        .contains { code.hasPrefix($0) } || code.contains("SecurityToken") || code.contains("Signature")
    }

    /// Whether no RAM policy allows the request with these credentials.
    var isPermissionError: Bool { self.message.contains("denied by sts or ram") }

    /// One short line without control characters, so that an answer cannot control a terminal.
    static func line(_ text: String) -> String {
        String(text.unicodeScalars.prefix(500)).withoutControls
    }
}
