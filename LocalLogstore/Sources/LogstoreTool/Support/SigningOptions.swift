// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import LocalLogstore
import WebTracking

/// Whether requests are signed, and with what.
struct SigningOptions: ParsableArguments {
    @Option(help: "Sign the requests, for this region.")
    var region: String?

    @Option(
        help: ArgumentHelp(
            "The file with the AccessKey to sign with, its first line of the form ID SECRET [TOKEN].",
            valueName: "file"
        )
    )
    var accessKey: String?

    func validate() throws {
        guard self.accessKey == nil || self.region != nil else { throw ValidationError("--access-key takes --region.") }
    }

    /// `nil` if requests are not signed.
    var authentication: WebTrackingConfiguration.Authentication? {
        get throws {
            guard let region = self.region else { return nil }
            return .signed(credentials: try self.credentials(), region: region)
        }
    }

    private func credentials() throws -> any WebTrackingCredentialsProvider {
        guard let path = self.accessKey, let key = try AccessKeyFile.keys(at: path).first else {
            return EnvironmentCredentials()
        }
        return WebTrackingCredentials(
            accessKeyID: key.id,
            accessKeySecret: key.secret,
            securityToken: key.securityToken
        )
    }
}
