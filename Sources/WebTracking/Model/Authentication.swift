// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

extension WebTrackingConfiguration {
    /// Whether requests are signed, and with which credentials.
    public struct Authentication: Sendable {
        /// Not signed: requests use PutWebtracking. Web tracking must be on for the logstore.
        public static let anonymous = Authentication(signing: nil)

        /// Signed with the credentials: requests use PutLogs with signature V4. Web tracking can be off.
        ///
        /// - Parameters:
        ///   - credentials: Gets the credentials. A ``WebTrackingCredentials`` is its own provider.
        ///   - region: The region of the project, such as `cn-hangzhou`. It is part of the signature.
        public static func signed(
            credentials: any WebTrackingCredentialsProvider,
            region: String
        ) -> Authentication {
            Authentication(signing: Signing(provider: credentials, region: region))
        }

        let signing: Signing?
    }
}

/// Everything that signing needs. A class, so that copies of a configuration are equal, although providers cannot be
/// compared.
final class Signing: Sendable {
    let provider: any WebTrackingCredentialsProvider
    let region: String

    init(provider: any WebTrackingCredentialsProvider, region: String) {
        self.provider = provider
        self.region = region
    }

    /// Throws ``ConfigurationError`` if fixed credentials cannot sign, or if the region's name is not possible.
    func check() throws {
        let credentials = (self.provider as? WebTrackingCredentials)?.withoutLineEnds
        if let problem = credentials?.problem {
            throw ConfigurationError(
                setting: "authentication.\(problem.part)",
                value: Redaction.masked,
                rule: problem.reason,
                suggestion: "Copy it once more from where secrets are kept."
            )
        }
        guard (1...63).contains(self.region.utf8.count),
            self.region.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
            })
        else {
            throw ConfigurationError(
                setting: "authentication.region",
                value: self.region,
                rule: "a region has lower-case letters, digits and hyphens",
                suggestion: "Write it like cn-hangzhou."
            )
        }
    }
}

extension WebTrackingConfiguration.Authentication: Equatable {
    /// Copies of one value are equal. Two values made by `signed` are not, as providers cannot be compared.
    public static func == (left: Self, right: Self) -> Bool { left.signing === right.signing }
}

extension WebTrackingConfiguration.Authentication: CustomStringConvertible, CustomReflectable {
    /// Whether requests are signed, and for which region.
    public var description: String {
        self.signing.map { "signed for \($0.region)" } ?? "anonymous"
    }

    /// The description, so that printing a configuration does not show the provider.
    public var customMirror: Mirror { Mirror(self, children: ["": self.description], displayStyle: .enum) }
}

#endif
