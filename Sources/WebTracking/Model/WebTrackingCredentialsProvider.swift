// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Gets credentials from wherever they come: STS, the metadata of an ECS instance, a secret store, a file.
///
/// ```swift
/// struct VaultCredentials: WebTrackingCredentialsProvider {
///     let read: @Sendable () async throws -> WebTrackingCredentials
///
///     func credentials() async throws -> WebTrackingCredentials { try await self.read() }
/// }
/// ```
public protocol WebTrackingCredentialsProvider: Sendable {
    /// The credentials that are valid now.
    ///
    /// Called before the first request, ahead of ``WebTrackingCredentials/expiration``, and when the service has refused
    /// the credentials at hand; one call at a time, at most one a second, and never on a thread that logs. A call that
    /// takes longer than a request may is cancelled and counts as failed; until it ends there is no other. While calls fail, records wait as in any other
    /// outage. An error's description becomes part of diagnostics, so it should not contain a secret.
    func credentials() async throws -> WebTrackingCredentials
}

extension WebTrackingCredentials: WebTrackingCredentialsProvider {
    /// These.
    public func credentials() async throws -> WebTrackingCredentials { self }
}

/// Reads credentials from the environment, under the names that Alibaba Cloud's own tools use:
/// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and, for STS, `ALIBABA_CLOUD_SECURITY_TOKEN`. One
/// that has nothing but ends of line counts as not set.
public struct EnvironmentCredentials: WebTrackingCredentialsProvider {
    /// A variable that is not set.
    public struct MissingVariable: Error, Sendable, Equatable, CustomStringConvertible {
        /// Its name.
        public var name: String
        /// The error in one line.
        public var description: String { "the environment variable \(self.name) is not set" }
    }

    /// Creates a provider.
    public init() {}

    /// What the environment says now. Throws ``MissingVariable``.
    public func credentials() async throws -> WebTrackingCredentials {
        WebTrackingCredentials(
            accessKeyID: try Self.variable("ALIBABA_CLOUD_ACCESS_KEY_ID"),
            accessKeySecret: try Self.variable("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
            securityToken: try? Self.variable("ALIBABA_CLOUD_SECURITY_TOKEN")
        )
    }

    private static func variable(_ name: String) throws -> String {
        let value = getenv(name).map { WebTrackingCredentials.withoutLineEnds(String(cString: $0)) } ?? ""
        guard !value.isEmpty else { throw MissingVariable(name: name) }
        return value
    }
}

#endif
