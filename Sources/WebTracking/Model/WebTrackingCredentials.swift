// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

/// An AccessKey, of a RAM user or from STS, which has a security token and a time at which it expires.
///
/// By itself it is a provider of credentials that never change. Ends of line behind a text, as files of secrets have
/// them, are not used. Descriptions and mirrors of it tell the id only.
public struct WebTrackingCredentials: Sendable, Hashable {
    /// The AccessKey id, which is no secret.
    public var accessKeyID: String
    /// The AccessKey secret, which never leaves the process.
    public var accessKeySecret: String
    /// The security token of an AccessKey from STS; `nil` for that of a RAM user.
    public var securityToken: String?
    /// When the credentials expire, in seconds since 1970; `nil` for never, or if it is not known.
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

    /// The seconds since 1970 of an expiration as STS and the metadata of ECS write it, such as `2026-11-23T08:15:30Z`;
    /// `nil` for any other text.
    public static func expiration(_ text: String) -> Int64? {
        UTCTimestamp.nanoseconds(Array(text.utf8)).map { $0 / 1_000_000_000 }
    }

    /// Whether requests are signed alike with others, which may expire at another time.
    func signsLike(_ other: WebTrackingCredentials) -> Bool {
        self.accessKeyID == other.accessKeyID && self.accessKeySecret == other.accessKeySecret
            && self.securityToken == other.securityToken
    }

    /// These without ends of line behind their texts.
    var withoutLineEnds: WebTrackingCredentials {
        var credentials = self
        credentials.accessKeyID = Self.withoutLineEnds(self.accessKeyID)
        credentials.accessKeySecret = Self.withoutLineEnds(self.accessKeySecret)
        credentials.securityToken = self.securityToken.map { Self.withoutLineEnds($0) }
        return credentials
    }

    static func withoutLineEnds(_ text: String) -> String {
        // Not by characters: CR and LF are one.
        guard let last = text.utf8.lastIndex(where: { $0 != 0x0A && $0 != 0x0D }) else { return "" }
        return String(decoding: text.utf8[...last], as: UTF8.self)
    }

    /// Which of these no request can be signed with, and why; `nil` if one can.
    ///
    /// What goes into a header has to fit into one, and a secret with a space or another character that AccessKeys do not
    /// have was copied wrongly: the service would say `SignatureNotMatch` for ever.
    var problem: (part: String, reason: String)? {
        func problem(_ part: String, _ name: String, _ text: String) -> (part: String, reason: String)? {
            if text.isEmpty { return (part, "the \(name) is empty") }
            if text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { return nil }
            return (part, "the \(name) has a space, an end of line or another character that none has")
        }
        return problem("accessKeyID", "AccessKey id", self.accessKeyID)
            ?? problem("accessKeySecret", "AccessKey secret", self.accessKeySecret)
            ?? self.securityToken.flatMap { problem("securityToken", "security token", $0) }
    }
}

extension WebTrackingCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The id; the secret and the token are left out.
    public var description: String {
        "AccessKey \(self.accessKeyID)\(self.securityToken == nil ? "" : " of STS")"
    }

    /// The same as ``description``.
    public var debugDescription: String { self.description }

    /// Nothing but the id, so that neither `dump` nor a print of what holds the credentials tells the rest.
    public var customMirror: Mirror {
        Mirror(self, children: ["accessKeyID": self.accessKeyID], displayStyle: .struct)
    }
}

#endif
