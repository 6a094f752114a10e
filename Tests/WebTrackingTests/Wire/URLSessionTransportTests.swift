// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit

@testable import WebTrackingURLSession

@Suite(.timeLimit(.minutes(10))) struct URLSessionTransportTests {
    #if canImport(FoundationNetworking)
    // Foundation ends the process in this one: swift-corelibs-foundation issue 5285.
    static let checks = TransportConformance.Check.allCases.filter { $0 != .throwsOnCutHeaders }
    #else
    static let checks = TransportConformance.Check.allCases
    #endif

    @Test(arguments: checks)
    func conforms(to check: TransportConformance.Check) async throws {
        try await TransportConformance { URLSessionTransport() }.run([check])
    }

    @Test func refusesWhatIsNoURL() async throws {
        let transport = URLSessionTransport()
        let server = try LoopbackServer()
        var request = server.request()
        request.host = "a b"
        await #expect(throws: TransportError.self) { try await transport.send(request) }
        await transport.shutdown()
    }

    @Test func aHealthyConnectionServesAHundredRequests() async throws {
        let server = try LoopbackServer()
        let clock = ManualClock()
        let transport = URLSessionTransport(clock: clock)
        for _ in 1...100 {
            #expect(try await transport.send(server.request()).status == 200)
            clock.advance(by: .seconds(1))
        }
        #expect(server.connectionCount == 1 && transport.sessionCount == 1)
        await transport.shutdown()
        #expect(transport.sessionCount == 0)
    }

    @Test(arguments: [
        LoopbackServer.Reply.never, .answer(status: 503), .answer(status: 200),
        .answer(status: 500, headers: [(name: "x-log-requestid", value: "ID")]),
    ])
    func afterAnExchangeThatWentWrongNoConnectionOfBeforeIsUsed(reply: LoopbackServer.Reply) async throws {
        let server = try LoopbackServer()
        let clock = ManualClock()
        let transport = URLSessionTransport(clock: clock)
        _ = try await transport.send(server.request())
        clock.advance(by: .seconds(1))
        server.reply([reply], otherwise: .success)
        _ = try? await transport.send(server.request(timeout: .seconds(1)))
        for _ in 1...3 { #expect(try await transport.send(server.request()).status == 200) }
        #expect(server.requests.map(\.connection) == [1, 1, 2, 2, 2])
        #expect(transport.sessionCount == 1)
        await transport.shutdown()
    }

    // MARK: TLS

    private static func words(of kind: SelfSignedServer.Kind) async throws -> String {
        let server = try SelfSignedServer(kind)
        let transport = URLSessionTransport()
        let request = TransportRequest(
            isSecure: true,
            host: "localhost",
            port: server.port,
            path: "/logstores/app/track",
            headers: [],
            body: Array("secret".utf8),
            timeout: .seconds(60)
        )
        var words = "no error"
        do { _ = try await transport.send(request) } catch { words = String(describing: error) }
        await transport.shutdown()
        let seen = server.stop()
        #expect(!seen.contains("POST") && !seen.contains("secret"))
        return words
    }

    @Test(.enabled(if: SelfSignedServer.canRun, "needs openssl"), arguments: [SelfSignedServer.Kind.usual, .old])
    func aServerThatNobodyVouchesForIsToldAsThatAndGetsNothing(kind: SelfSignedServer.Kind) async throws {
        let words = try await Self.words(of: kind)
        #expect(words.hasPrefix("TLS with localhost failed: "), "\(words)")
        #expect(words.contains("the issuer of the server's certificate is not among") || words.contains("TLS 1.2"))
    }

    @Test(arguments: [
        ("SSL certificate problem: certificate has expired", "has expired; it has to be renewed"),
        ("SSL certificate problem: certificate is not yet valid", "is this machine's clock right?"),
        ("SSL certificate problem: self-signed certificate", "the issuer of the server's certificate is not among"),
        ("SSL certificate problem: unable to get local issuer certificate", "the issuer of the server's certificate"),
        ("SSL: no alternative certificate subject name matches target host name 'h'", "is for another name than h"),
        ("OpenSSL/3.0.22: error:0A00014D:SSL routines::legacy sigalg disallowed or unsupported", "no TLS 1.2 or newer"),
        ("error:0A000102:SSL routines::unsupported protocol", "no TLS 1.2 or newer"),
        ("OpenSSL/3.0.22: error:0A00010B:SSL routines::wrong version number", "does not speak TLS there"),
        ("error setting certificate verify locations:  CAfile: /x", "no certificate authorities can be read"),
        ("OpenSSL SSL_connect: Connection reset by peer in connection to h:443", "Connection reset by peer"),
    ])
    func troublesOfTLSAreToldWithWhatToDo(words: String, telling: String) {
        #expect(SessionTLSFailure.reason(words, host: "h")?.contains(telling) == true)
    }

    @Test func whatIsNotAboutTLSIsLeftAsItIs() {
        #expect(SessionTLSFailure.reason("Failed to connect to h port 443 after 8 ms", host: "h") == nil)
    }

    @Test func sendsNothingAfterShutdown() async throws {
        let transport = URLSessionTransport()
        let server = try LoopbackServer()
        _ = try await transport.send(server.request())
        await transport.shutdown()
        await #expect(throws: TransportError.self) { try await transport.send(server.request()) }
        #expect(server.requests.count == 1)
    }
}
