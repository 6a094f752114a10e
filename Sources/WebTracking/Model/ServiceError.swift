// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What the service says about a request that it did not take.
public struct ServiceError: Sendable, Equatable, CustomStringConvertible {
    /// The HTTP status.
    public var status: Int
    /// The service's `errorCode`; empty if the answer had none.
    public var code: String
    /// The service's `errorMessage`, or the beginning of a body that is not the service's JSON.
    public var message: String
    /// The id to quote to the service's support; `nil` if the answer does not come from the service.
    public var requestID: String?

    /// Where the answer sends the client, which no transport follows; `nil` if it does not.
    public var location: String?

    /// The error in one line.
    public var description: String {
        let code = self.code.isEmpty ? "" : " \(self.code)"
        let message = self.message.isEmpty ? "" : ": \(self.message)"
        let id = self.requestID.map { " (request id \($0))" } ?? " (no request id: not an answer of the service)"
        let location = self.location.map { ", redirects to \($0)" } ?? ""
        return "HTTP \(self.status)\(code)\(location)\(message)\(id)"
    }

    /// Whether a quota of the project or of a shard was exceeded.
    var isQuota: Bool { self.code.contains("Quota") }

    /// Whether the service finds the time of a signature too far from its own.
    var isClockError: Bool {
        ["RequestTimeExpired", "RequestTimeTooSkewed", "InvalidRequestTime"].contains(self.code)
    }

    /// Whether the credentials of a signature are wrong or have expired; others, or they later, may do.
    var isCredentialsError: Bool {
        guard self.status == 401 || self.status == 403 else { return false }
        if ["SignatureNotMatch", "InvalidAccessKeyId"].contains(self.code) || self.code.contains("SecurityToken") {
            return true
        }
        // For most of them the code is that of a missing permission.
        return self.code == "Unauthorized"
            && ["security token", "AccessKeyId"].contains { self.message.contains($0) }
    }

    /// Whether the service finds fault with what stands around the records, and would with any others.
    var isRequestError: Bool {
        let code = self.code
        return [
            "Missing", "InvalidAPI", "InvalidCompress", "InvalidBodyRaw", "InvalidContent", "InvalidHost",
            "InvalidDate",
        ]
        .contains { code.hasPrefix($0) } || code.contains("SecurityToken") || code.contains("Signature")
    }

    /// Whether no policy of RAM allows the credentials of a signature what they were used for.
    var isPermissionError: Bool { self.message.contains("denied by sts or ram") }

    /// One short line of text, so that an answer cannot write to a terminal what it likes.
    static func line(_ text: String) -> String {
        String(text.unicodeScalars.prefix(500)).withoutControls
    }
}
