// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Whatever is printed, it holds neither secret nor token.
@Suite(.timeLimit(.minutes(10))) struct CredentialsRedactionTests {
    private static let credentials = WebTrackingCredentials(
        accessKeyID: "LTAI-visible",
        accessKeySecret: "hidden-secret",
        securityToken: "hidden-token",
        expiration: 1
    )

    private func texts(of value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return ["\(value)", String(reflecting: value), String(describing: Optional(value)), "\([value])", dumped]
    }

    private func checkHidden(_ value: Any, sourceLocation: SourceLocation = #_sourceLocation) {
        for text in self.texts(of: value) {
            #expect(!text.contains("hidden"), "\(text)", sourceLocation: sourceLocation)
            #expect(!text.isEmpty, sourceLocation: sourceLocation)
        }
    }

    @Test func credentialsTellTheirIDOnly() {
        struct Holder {
            var credentials: WebTrackingCredentials
            var others: [String: WebTrackingCredentials?]
        }
        self.checkHidden(Self.credentials)
        self.checkHidden(Holder(credentials: Self.credentials, others: ["a": Self.credentials]))
        #expect(Self.credentials.description == "AccessKey LTAI-visible of STS")
        #expect(Mirror(reflecting: Self.credentials).children.map(\.label) == ["accessKeyID"])
        #expect(Mirror(reflecting: Self.credentials).descendant("accessKeySecret") == nil)
    }

    @Test func aConfigurationDoesNotLookIntoItsProvider() throws {
        struct Careless: WebTrackingCredentialsProvider {
            var password = "hidden-password"
            func credentials() async throws -> WebTrackingCredentials { CredentialsRedactionTests.credentials }
        }
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        for provider in [Careless(), Self.credentials] as [any WebTrackingCredentialsProvider] {
            configuration.authentication = .signed(credentials: provider, region: "cn-test")
            self.checkHidden(configuration)
            self.checkHidden(configuration.authentication)
            let copy = configuration
            #expect(copy == configuration)
        }
        #expect("\(configuration.authentication)" == "signed for cn-test")
        #expect("\(WebTrackingConfiguration.Authentication.anonymous)" == "anonymous")
    }

    @Test func aSignedRequestTellsTheNamesOfItsHeaders() async throws {
        let service = ScriptedService { _ in
            ScriptedService.refusal(401, "SignatureNotMatch", "signature of LTAI-visible not match")
        }
        let rig = try SignedRig(service, Self.credentials)
        rig.log("a")
        await rig.run { rig.producer.statistics.retries >= 1 }
        let request = try #require(service.requests.elements.first)
        #expect(request.header("x-acs-security-token") == "hidden-token")
        self.checkHidden(request)
        self.checkHidden([request])
        #expect(request.description.contains("x-acs-security-token"))
        for diagnostic in rig.diagnostics.elements { self.checkHidden(diagnostic) }
        self.checkHidden(rig.producer.configuration)
        self.checkHidden(rig.producer.statistics)
        await rig.producer.shutdown(timeout: .zero)
    }

    @Test func expirationsAreReadAsSTSWritesThem() {
        #expect(WebTrackingCredentials.expiration("2026-01-01T00:00:00Z") == Rig.start / 1_000_000_000)
        #expect(WebTrackingCredentials.expiration("tomorrow") == nil)
    }
}

#endif
