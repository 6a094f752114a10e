// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// An AccessKey: of a RAM user, or from STS with a security token and a time at which it expires.
///
/// It is its own provider: credentials that never change. Line ends behind a text are ignored, as files with secrets
/// often have them. Descriptions and mirrors show only the id.
public struct WebTrackingCredentials: Sendable, Hashable {
    /// The AccessKey id. It is no secret.
    public var accessKeyID: String
    /// The AccessKey secret. It never leaves the process.
    public var accessKeySecret: String
    /// The security token of an AccessKey from STS; `nil` for a RAM user's AccessKey.
    public var securityToken: String?
    /// The time at which the credentials expire, in seconds since 1970; `nil` if they never expire, or if the time is
    /// not known.
    public var expiration: Int64?

    /// Creates credentials.
    public init(
        accessKeyID: String,
        accessKeySecret: String,
        securityToken: String? = nil,
        expiration: Int64? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.accessKeySecret = accessKeySecret
        self.securityToken = securityToken
        self.expiration = expiration
    }

    /// Parses an expiration as STS and the ECS metadata service write it, such as `2026-11-23T08:15:30Z`. Returns
    /// seconds since 1970; `nil` for any other text.
    public static func expiration(_ text: String) -> Int64? {
        UTCTimestamp.nanoseconds(Array(text.utf8)).map { $0 / 1_000_000_000 }
    }

    /// Whether others give the same signatures. They may expire at another time.
    func signsLike(_ other: WebTrackingCredentials) -> Bool {
        self.accessKeyID == other.accessKeyID && self.accessKeySecret == other.accessKeySecret
            && self.securityToken == other.securityToken
    }

    /// The credentials without line ends behind their texts.
    var withoutLineEnds: WebTrackingCredentials {
        var credentials = self
        credentials.accessKeyID = self.accessKeyID.withoutLineEnds
        credentials.accessKeySecret = self.accessKeySecret.withoutLineEnds
        credentials.securityToken = self.securityToken?.withoutLineEnds
        return credentials
    }

    /// The part that cannot sign a request, and the reason; `nil` if there is none.
    ///
    /// A part has to fit into a header. A secret with a space, or with another character that AccessKeys do not have,
    /// was copied wrongly: the service would answer `SignatureNotMatch` for ever.
    var problem: (part: String, reason: String)? {
        func problem(_ part: String, _ name: String, _ text: String) -> (part: String, reason: String)? {
            if text.isEmpty { return (part, "the \(name) is empty") }
            if text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { return nil }
            return (part, "the \(name) has a space, a line end or another character that is not allowed in it")
        }
        return problem("accessKeyID", "AccessKey id", self.accessKeyID)
            ?? problem("accessKeySecret", "AccessKey secret", self.accessKeySecret)
            ?? self.securityToken.flatMap { problem("securityToken", "security token", $0) }
    }
}

extension WebTrackingCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The id, without the secret and the token.
    public var description: String {
        "AccessKey \(self.accessKeyID)\(self.securityToken == nil ? "" : " of STS")"
    }

    /// The same as ``description``.
    public var debugDescription: String { self.description }

    /// Only the id, so that neither `dump` nor printing a value with credentials shows a secret.
    public var customMirror: Mirror {
        Mirror(self, children: ["accessKeyID": self.accessKeyID], displayStyle: .struct)
    }
}

#endif
