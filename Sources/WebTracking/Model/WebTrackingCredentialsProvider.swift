// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

import WebTrackingPlatform

/// Gets credentials from any source: STS, the metadata of an ECS instance, a secret store, a file.
///
/// ```swift
/// struct VaultCredentials: WebTrackingCredentialsProvider {
///     let read: @Sendable () async throws -> WebTrackingCredentials
///
///     func credentials() async throws -> WebTrackingCredentials { try await self.read() }
/// }
/// ```
public protocol WebTrackingCredentialsProvider: Sendable {
    /// Returns the credentials that are valid now.
    ///
    /// It is called before the first request, before the credentials expire, and when the service has refused them. There
    /// is one call at a time, at most one a second, and never on a thread that logs. A call that takes longer than
    /// ``WebTrackingConfiguration/Delivery/requestTimeout`` is cancelled, and counts as failed; the next call starts when
    /// it has ended. While calls fail, records wait as in any other outage. The description of an error becomes part of
    /// diagnostics, so it should contain no secret.
    func credentials() async throws -> WebTrackingCredentials
}

extension WebTrackingCredentials: WebTrackingCredentialsProvider {
    /// Returns these credentials.
    public func credentials() async throws -> WebTrackingCredentials { self }
}

/// Reads credentials from the environment, by the names that Alibaba Cloud's own tools use:
/// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and, for STS, `ALIBABA_CLOUD_SECURITY_TOKEN`. A
/// variable with only line ends counts as not set.
public struct EnvironmentCredentials: WebTrackingCredentialsProvider {
    /// The error for a variable that is not set.
    public struct MissingVariable: Error, Sendable, Equatable, CustomStringConvertible {
        /// The name of the variable.
        public var name: String
        /// The error in one line.
        public var description: String { "the environment variable \(self.name) is not set" }
    }

    /// Creates a provider.
    public init() {}

    /// Reads the environment. Throws ``MissingVariable``.
    public func credentials() async throws -> WebTrackingCredentials {
        WebTrackingCredentials(
            accessKeyID: try Self.variable("ALIBABA_CLOUD_ACCESS_KEY_ID"),
            accessKeySecret: try Self.variable("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
            securityToken: try? Self.variable("ALIBABA_CLOUD_SECURITY_TOKEN")
        )
    }

    private static func variable(_ name: String) throws -> String {
        let value = getenv(name).map { String(cString: $0).withoutLineEnds } ?? ""
        guard !value.isEmpty else { throw MissingVariable(name: name) }
        return value
    }
}

#endif
