//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if SignedPutLogs

/// An AccessKey, of a RAM user or from STS, which has a security token and a time at which it expires.
///
/// By itself it is a provider of credentials that never change. Descriptions and mirrors of it tell the id only.
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

    /// Which of these no request can be signed with, and why; `nil` if one can. What goes into a header has to fit into one.
    var problem: (part: String, reason: String)? {
        func fits(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
        if !fits(self.accessKeyID) {
            return ("accessKeyID", "the AccessKey id is empty or has other than visible ASCII characters")
        }
        if self.accessKeySecret.isEmpty { return ("accessKeySecret", "the AccessKey secret is empty") }
        if let token = self.securityToken, !fits(token) {
            return ("securityToken", "the security token is empty or has other than visible ASCII characters")
        }
        return nil
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
