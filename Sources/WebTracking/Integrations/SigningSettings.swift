// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

extension WebTrackingConfiguration {
    /// Reads the credentials and the region. Refuses keys that would have no effect: a program must not send
    /// anonymously while its settings look signed.
    mutating func readSigning(_ config: SettingsReader) throws {
        let region = try config.text("region")
        let id = try config.text("accessKeyID")
        let secret = try config.text("accessKeySecret", isSecret: true)
        // An empty token counts as none, as in the environment's own variables. So does an empty file.
        let token = try config.text("securityToken", isSecret: true).flatMap { text in
            text.utf8.allSatisfy { $0 == 0x0A || $0 == 0x0D } ? nil : text
        }
        guard let region else {
            guard id == nil, secret == nil, token == nil else {
                throw config.error("region", "", "credentials need the region that requests are signed for")
            }
            return
        }
        #if SignedPutLogs
        switch (id, secret) {
        case (let id?, let secret?):
            let credentials = WebTrackingCredentials(accessKeyID: id, accessKeySecret: secret, securityToken: token)
                .withoutLineEnds
            if let problem = credentials.problem { throw config.error(problem.part, "", problem.reason) }
            self.authentication = .signed(credentials: credentials, region: region)
        case (nil, nil) where token == nil:
            self.authentication = .signed(credentials: EnvironmentCredentials(), region: region)
        case (nil, _):
            throw config.error("accessKeyID", "", "an AccessKey has an id and a secret")
        case (_, nil):
            throw config.error("accessKeySecret", "", "an AccessKey has an id and a secret")
        }
        do {
            try self.authentication.signing?.check()
        } catch let error as ConfigurationError {
            throw config.error("region", region, error.rule)
        }
        #else
        throw ConfigurationError(
            setting: "signing.region",
            value: region,
            rule: "requests are signed only by a package that has the trait SignedPutLogs",
            suggestion: "Add the trait to the dependency, or remove the keys under signing."
        )
        #endif
    }
}

#endif
