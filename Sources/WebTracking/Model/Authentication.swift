// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

extension WebTrackingConfiguration {
    /// Whether requests are signed, and with which credentials.
    public struct Authentication: Sendable {
        /// Not signed: PutWebtracking, which has to be switched on for the logstore.
        public static let anonymous = Authentication(signing: nil)

        /// Signed with the credentials: PutLogs with signature V4. Web tracking can be off.
        ///
        /// - Parameters:
        ///   - credentials: Gets them; a ``WebTrackingCredentials`` is a provider of itself.
        ///   - region: The region of the project, such as `cn-hangzhou`; part of what is signed.
        public static func signed(
            credentials: any WebTrackingCredentialsProvider,
            region: String
        ) -> Authentication {
            Authentication(signing: Signing(provider: credentials, region: region))
        }

        let signing: Signing?
    }
}

/// What signing needs. A class, so that copies of a configuration are equal whatever the provider is.
final class Signing: Sendable {
    let provider: any WebTrackingCredentialsProvider
    let region: String

    init(provider: any WebTrackingCredentialsProvider, region: String) {
        self.provider = provider
        self.region = region
    }

    /// Throws ``ConfigurationError`` for credentials at hand that cannot sign, and for a region that cannot be one.
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
    /// Copies of one value are equal; two values made with `signed` are not, since providers cannot be compared.
    public static func == (left: Self, right: Self) -> Bool { left.signing === right.signing }
}

extension WebTrackingConfiguration.Authentication: CustomStringConvertible, CustomReflectable {
    /// Whether requests are signed, and for which region.
    public var description: String {
        self.signing.map { "signed for \($0.region)" } ?? "anonymous"
    }

    /// The same, so that a print of a configuration does not look into the provider.
    public var customMirror: Mirror { Mirror(self, children: ["": self.description], displayStyle: .enum) }
}

#endif
