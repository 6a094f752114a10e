// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

/// Credentials as they come from files and from people's hands.
@Suite(.timeLimit(.minutes(10))) struct CredentialsFormTests {
    private static let clean = WebTrackingCredentials(
        accessKeyID: "LTAI5tExample",
        accessKeySecret: "0123456789abcdef",
        securityToken: "CAIS+/token=="
    )

    private struct OtherProvider: WebTrackingCredentialsProvider {
        let value: WebTrackingCredentials
        func credentials() async throws -> WebTrackingCredentials { self.value }
    }

    private static func written(with end: String) -> WebTrackingCredentials {
        WebTrackingCredentials(
            accessKeyID: self.clean.accessKeyID + end,
            accessKeySecret: self.clean.accessKeySecret + end,
            securityToken: self.clean.securityToken.map { $0 + end }
        )
    }

    /// Sends one record; checks that it was signed as by the credentials without ends of line.
    private static func expectCleanSignature(by provider: any WebTrackingCredentialsProvider) async throws {
        let service = ScriptedService()
        let rig = try SignedRig(service, provider)
        rig.log("a")
        await rig.producer.flush(timeout: .seconds(60))
        let request = try #require(service.requests.elements.first)
        #expect(request.header("x-acs-security-token") == self.clean.securityToken)
        let input = SignatureV4.Input(
            method: "POST",
            path: request.path,
            headers: request.headers + [("host", request.host)],
            contentHash: SignatureV4.hash(request.body),
            time: "20260101T000000Z"
        )
        let expected = SignatureV4(credentials: self.clean, region: "cn-test").authorization(for: input)
        #expect(request.header("authorization") == expected)
        await rig.stop()
    }

    @Test(arguments: ["", "\n", "\r\n", "\n\n"])
    func anEndOfLineBehindCredentialsIsNotSigned(end: String) async throws {
        try await Self.expectCleanSignature(by: Self.written(with: end))
        try await Self.expectCleanSignature(by: OtherProvider(value: Self.written(with: end)))
        var changed = Self.clean
        changed.accessKeySecret += end
        try await Self.expectCleanSignature(by: changed)
    }

    @Test func anEndOfLineBehindAVariableOfTheEnvironmentIsNotSigned() async {
        await #expect(processExitsWith: .success) {
            let names = ["ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN"]
            let clean = Self.clean
            for (name, value) in zip(names, [clean.accessKeyID, clean.accessKeySecret, clean.securityToken ?? ""]) {
                setenv("ALIBABA_CLOUD_\(name)", value + "\r\n", 1)
            }
            try await Self.expectCleanSignature(by: EnvironmentCredentials())
            setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "\n", 1)
            #expect(try await EnvironmentCredentials().credentials().securityToken == nil)
            setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "\n", 1)
            await #expect(throws: EnvironmentCredentials.MissingVariable.self) {
                try await EnvironmentCredentials().credentials()
            }
        }
    }

    @Test(
        arguments: [
            ("", "secret", nil, "accessKeyID"), ("\n", "secret", nil, "accessKeyID"),
            ("id", " secret", nil, "accessKeySecret"),
            ("id", "secret ", nil, "accessKeySecret"), ("id", "sec\nret", nil, "accessKeySecret"),
            ("id", "\u{FEFF}secret", nil, "accessKeySecret"), ("id", "secret", "a\r\nb: c", "securityToken"),
        ] as [(String, String, String?, String)]
    )
    func credentialsThatCannotSignAreRefusedAtSetUp(id: String, secret: String, token: String?, part: String) {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        let credentials = WebTrackingCredentials(accessKeyID: id, accessKeySecret: secret, securityToken: token)
        configuration.authentication = .signed(credentials: credentials, region: "cn-test")
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.setting == "authentication.\(part)")
        #expect(error?.value == "[redacted]")
    }

    @Test func whatAProviderSaysThatCannotSignIsToldWithItsReason() async throws {
        let service = ScriptedService()
        let value = WebTrackingCredentials(accessKeyID: "id", accessKeySecret: "se cret")
        let rig = try SignedRig(service, OtherProvider(value: value))
        rig.log("a")
        await rig.run { rig.producer.statistics.requests[.failed, default: 0] >= 2 }
        #expect(service.requests.elements.isEmpty)
        #expect(rig.diagnostics.elements.contains { "\($0)".contains("the AccessKey secret has a space") })
        #expect(!rig.diagnostics.elements.contains { "\($0)".contains("se cret") })
        _ = await rig.producer.shutdown(timeout: .zero)
    }
}

#endif
