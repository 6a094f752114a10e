// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation
import Synchronization

/// An AccessKey that an endpoint knows. Its description shows only the id.
public struct AccessKey: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var id: String
    public var secret: String
    /// The security token that has to come with it; `nil` for a key that is not from STS.
    public var securityToken: String?
    /// When the token expires; `nil` for never.
    public var expiresAt: Date?

    public init(id: String, secret: String, securityToken: String? = nil, expiresAt: Date? = nil) {
        self.id = id
        self.secret = secret
        self.securityToken = securityToken
        self.expiresAt = expiresAt
    }

    public var description: String { "AccessKey \(self.id)" }

    public var customMirror: Mirror { Mirror(self, children: ["id": self.id], displayStyle: .struct) }
}

/// The AccessKeys that an endpoint knows, which can be changed while it runs.
public final class AccessKeyRing: Sendable {
    private let keys: Mutex<[String: AccessKey]>

    public init(_ keys: [AccessKey] = []) {
        self.keys = Mutex(Dictionary(keys.map { ($0.id, $0) }) { _, last in last })
    }

    /// The key with this id; `nil` if there is none.
    public subscript(id: String) -> AccessKey? {
        self.keys.withLock { $0[id] }
    }

    /// Adds a key, or puts it in the place of the one with its id.
    public func add(_ key: AccessKey) {
        self.keys.withLock { $0[key.id] = key }
    }

    /// Lets the security token of a key expire now.
    public func expire(_ id: String) {
        self.keys.withLock { $0[id]?.expiresAt = .distantPast }
    }

    /// Forgets a key, as when it is deleted or disabled.
    public func remove(_ id: String) {
        self.keys.withLock { $0[id] = nil }
    }
}
