// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration
import Testing

@testable import WebTracking

/// The keys that say who sends.
@Suite struct SigningSettingsTests {
    private static func read(_ signing: [String: String]) throws -> WebTrackingConfiguration {
        var values = [
            "WEBTRACKING_ENDPOINT": "cn-test", "WEBTRACKING_PROJECT": "project", "WEBTRACKING_LOGSTORE": "logstore",
        ]
        for (key, value) in signing { values["WEBTRACKING_SIGNING_" + key] = value }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values))
        return try WebTrackingConfiguration(config: reader.scoped(to: "webtracking"))
    }

    private static func setting(_ signing: [String: String]) -> String? {
        #expect(throws: ConfigurationError.self) { try self.read(signing) }?.setting
    }

    @Test(arguments: ["ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN"])
    func credentialsWithoutARegionAreRefusedAndNotSentAnonymously(key: String) {
        #expect(Self.setting([key: "x"]) == "signing.region")
    }

    #if SignedPutLogs

    @Test func withoutKeysNobodySigns() throws {
        #expect(try Self.read([:]).authentication == .anonymous)
    }

    @Test func anAccessKeyIsReadWithItsTokenAndItsRegion() async throws {
        let values = [
            "REGION": "cn-hangzhou", "ACCESS_KEY_ID": "id", "ACCESS_KEY_SECRET": "secret", "SECURITY_TOKEN": "token",
        ]
        let signing = try #require(try Self.read(values).authentication.signing)
        #expect(signing.region == "cn-hangzhou")
        let credentials = try await signing.provider.credentials()
        #expect(
            credentials
                == WebTrackingCredentials(accessKeyID: "id", accessKeySecret: "secret", securityToken: "token")
        )
        let lasting = try Self.read(values.filter { $0.key != "SECURITY_TOKEN" }).authentication.signing
        #expect(try await lasting?.provider.credentials().securityToken == nil)
    }

    @Test func aRegionAloneSignsWithTheAccessKeyOfTheEnvironment() throws {
        let signing = try Self.read(["REGION": "cn-hangzhou"]).authentication.signing
        #expect(signing?.provider is EnvironmentCredentials)
    }

    @Test func halfAnAccessKeyIsRefusedByTheKeyThatLacks() {
        #expect(Self.setting(["REGION": "cn-test", "ACCESS_KEY_ID": "id"]) == "signing.accessKeySecret")
        #expect(Self.setting(["REGION": "cn-test", "ACCESS_KEY_SECRET": "secret"]) == "signing.accessKeyID")
        #expect(Self.setting(["REGION": "cn-test", "SECURITY_TOKEN": "token"]) == "signing.accessKeyID")
    }

    @Test func credentialsThatCannotSignAreRefusedAtSetUpAndAnEmptyTokenIsNone() async throws {
        for (id, secret, part) in [
            ("", "secret", "accessKeyID"), ("i d", "secret", "accessKeyID"), ("id", "", "accessKeySecret"),
            ("id", "\n", "accessKeySecret"), ("id", "se cret", "accessKeySecret"),
        ] {
            let values = ["REGION": "cn-test", "ACCESS_KEY_ID": id, "ACCESS_KEY_SECRET": secret]
            #expect(Self.setting(values) == "signing.\(part)")
        }
        let values = [
            "REGION": "cn-test", "ACCESS_KEY_ID": "id", "ACCESS_KEY_SECRET": "secret", "SECURITY_TOKEN": "",
        ]
        let signing = try Self.read(values).authentication.signing
        #expect(try await signing?.provider.credentials().securityToken == nil)
    }

    /// As a provider of files reads them.
    @Test(arguments: ["\n", "\r\n", "\n\n"]) func anEndOfLineBehindAKeyIsNoPartOfIt(end: String) async throws {
        let values = [
            "REGION": "cn-test", "ACCESS_KEY_ID": "id" + end, "ACCESS_KEY_SECRET": "secret" + end,
            "SECURITY_TOKEN": "token" + end,
        ]
        let clean = WebTrackingCredentials(accessKeyID: "id", accessKeySecret: "secret", securityToken: "token")
        #expect(try await Self.read(values).authentication.signing?.provider.credentials() == clean)
        let empty = values.merging(["SECURITY_TOKEN": end]) { $1 }
        #expect(try await Self.read(empty).authentication.signing?.provider.credentials().securityToken == nil)
    }

    @Test func aRegionThatCannotBeOneIsRefusedByItsKey() {
        #expect(Self.setting(["REGION": "cn test"]) == "signing.region")
    }

    @Test func noErrorShowsASecret() {
        let error = #expect(throws: ConfigurationError.self) {
            try Self.read(["REGION": "cn test", "ACCESS_KEY_ID": "id", "ACCESS_KEY_SECRET": "hidden"])
        }
        #expect(error.map { !"\($0)".contains("hidden") } == true)
    }

    #else

    @Test func aRegionIsRefusedByAPackageThatCannotSign() {
        #expect(Self.setting(["REGION": "cn-hangzhou"]) == "signing.region")
    }

    #endif
}

#endif
