// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import WebTrackingTestKit
import WebTrackingURLSession

@testable import WebTracking

/// What a TLS connection that did not come about is told as.
@Suite(.timeLimit(.minutes(10))) struct TLSFailureTests {
    private static let machine = TLSFailure.Machine(
        authoritiesFile: nil,
        searchedPaths: ["/etc/a.crt", "/etc/b.crt"],
        hasAuthorities: true
    )
    private static let refused =
        "handshakeFailed(NIOSSL.BoringSSLError.sslError([Error: 268435581 error:1000007d:SSL routines:OPENSSL_internal:"
        + "CERTIFICATE_VERIFY_FAILED at /home/somebody/build/handshake.cc:390]))"

    private static func line(
        _ words: String,
        _ certificate: TLSFailure.Certificate = .unknown,
        _ machine: TLSFailure.Machine = machine
    ) -> String {
        TLSFailure.line(words, host: "logs.example.com", certificate: certificate, machine: machine)
    }

    @Test func anExpiredCertificateAndAnUnknownIssuerLookDifferent() {
        #expect(
            Self.line(Self.refused, .expired(1_609_459_200))
                == "TLS with logs.example.com failed: the server's certificate expired on 2021-01-01; it has to be renewed"
        )
        #expect(Self.line(Self.refused, .notYetValid(1_609_459_200)).contains("is valid from 2021-01-01 on"))
        let unknown = Self.line(Self.refused, .valid)
        #expect(unknown.contains("the issuer of the server's certificate is not among this machine's"))
        #expect(unknown.contains("SSL_CERT_FILE"))
        #expect(!unknown.contains("expired"))
        #expect(Self.line(Self.refused).contains("or it has expired"))
    }

    @Test func aMachineWithoutAuthoritiesIsToldWhatToInstall() {
        var machine = Self.machine
        machine.hasAuthorities = false
        for words in ["unknownError([])", Self.refused] {
            let line = Self.line(words, .valid, machine)
            #expect(line.contains("no certificate authorities on this machine (/etc/a.crt, /etc/b.crt)"))
            #expect(line.contains("apt-get install ca-certificates") && line.contains("SSL_CERT_FILE"))
        }
        machine.authoritiesFile = "/secrets/ca.pem"
        let line = Self.line("unknownError([])", .unknown, machine)
        #expect(line.contains("no certificate authorities can be read from /secrets/ca.pem"))
    }

    @Test func otherTroublesAreNamed() {
        #expect(
            Self.line("failedToValidateHostname: Couldn't find x").contains("is for another name than logs.example.com")
        )
        #expect(Self.line("x TLSV1_ALERT_PROTOCOL_VERSION at /a:1").contains("no TLS 1.2"))
        #expect(Self.line("x:UNSUPPORTED_PROTOCOL at /a:1").contains("no TLS 1.2"))
        #expect(Self.line("x:WRONG_VERSION_NUMBER at /a:1").contains("does not speak TLS there"))
        #expect(Self.line("x:SSLV3_ALERT_HANDSHAKE_FAILURE at /a:1").hasSuffix("SSLV3_ALERT_HANDSHAKE_FAILURE"))
        #expect(Self.line("uncleanShutdown").contains("broke off"))
    }

    @Test(arguments: [refused, "unknownError([Error: 1 error:2:SSL routines:X:SOME_REASON at /builder/x.cc:1])"])
    func noPathOfTheMachineThatBuiltItIsShown(words: String) {
        for certificate in [TLSFailure.Certificate.unknown, .expired(0), .valid] {
            #expect(
                !Self.line(words, certificate).contains("/home") && !Self.line(words, certificate).contains("/builder")
            )
        }
    }

    // MARK: Over real connections

    private static func request(port: Int, host: String = "localhost") -> TransportRequest {
        TransportRequest(
            isSecure: true,
            host: host,
            port: port,
            path: "/logstores/app/track",
            headers: [],
            body: Array("secret".utf8),
            timeout: .seconds(60)
        )
    }

    #if AsyncHTTPClient

    /// What the transport says of a server.
    private static func words(of kind: SelfSignedServer.Kind, isKnown: Bool) async throws -> String {
        let server = try SelfSignedServer(kind)
        if isKnown { setenv("SSL_CERT_FILE", server.certificate, 1) }
        let transport = AsyncHTTPClientTransport()
        var words = "no error"
        do {
            _ = try await transport.send(Self.request(port: server.port))
        } catch {
            words = String(describing: error)
        }
        await transport.shutdown()
        let seen = server.stop()
        #expect(!seen.contains("POST") && !seen.contains("secret"))
        return words
    }

    @Test(.enabled(if: SelfSignedServer.canRun, "needs openssl"))
    func aRefusedServerIsToldByItsReasonOverARealConnection() async throws {
        let unknown = try await Self.words(of: .usual, isKnown: false)
        #expect(unknown.hasPrefix("TLS with localhost failed: "))
        #expect(
            unknown.contains("the issuer of the server's certificate is not among")
                || unknown.contains("no certificate")
        )
        let old = try await Self.words(of: .old, isKnown: false)
        #expect(old == "TLS with localhost failed: the server offers no TLS 1.2 or newer")
    }

    // The environment is the process's, so these have one each.

    @Test(.enabled(if: SelfSignedServer.canRun, "needs openssl"))
    func anExpiredCertificateIsToldAsThat() async {
        await #expect(processExitsWith: .success) {
            let words = try await Self.words(of: .expired, isKnown: true)
            #expect(words.hasSuffix("the server's certificate expired on 2021-01-01; it has to be renewed"))
        }
    }

    @Test(.enabled(if: SelfSignedServer.canRun, "needs openssl"))
    func aCertificateOfAnotherNameIsToldAsThat() async {
        await #expect(processExitsWith: .success) {
            let words = try await Self.words(of: .ofAnotherName, isKnown: true)
            #expect(words.contains("the server's certificate is for another name than localhost"))
        }
    }

    @Test(.enabled(if: SelfSignedServer.canRun, "needs openssl"))
    func authoritiesComeFromTheFileThatSSLCertFileNames() async {
        await #expect(processExitsWith: .success) {
            let server = try SelfSignedServer()
            setenv("SSL_CERT_FILE", server.certificate, 1)
            let transport = AsyncHTTPClientTransport()
            var request = Self.request(port: server.port)
            // It never answers; what matters is what it has read.
            request.timeout = .seconds(2)
            await #expect(throws: (any Error).self) { try await transport.send(request) }
            await transport.shutdown()
            #expect(server.stop().contains("secret"))
        }
    }

    @Test(arguments: [
        "", "no certificate\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n",
    ])
    func aFileOfAuthoritiesWithoutOneIsNamed(text: String) async {
        await #expect(processExitsWith: .success) { [text] in
            let folder = SpoolDirectory()
            try FileSystem.makeDirectory(folder.path)
            folder.overwrite("\(folder.path)/authorities.pem", with: Array(text.utf8))
            try await Self.expectNamed("\(folder.path)/authorities.pem")
        }
    }

    @Test func aFileOfAuthoritiesThatIsNotThereIsNamed() async {
        await #expect(processExitsWith: .success) { try await Self.expectNamed("/nowhere/authorities.pem") }
    }

    private static func expectNamed(_ file: String) async throws {
        setenv("SSL_CERT_FILE", file, 1)
        let server = try LoopbackServer()
        let transport = AsyncHTTPClientTransport()
        let error = await #expect(throws: (any Error).self) {
            try await transport.send(Self.request(port: server.port))
        }
        let words = String(describing: error)
        #expect(words.contains("\(file), which SSL_CERT_FILE names"), "\(words)")
        await transport.shutdown()
    }

    #endif
}
