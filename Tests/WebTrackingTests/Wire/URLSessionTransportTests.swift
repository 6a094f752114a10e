// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking
import WebTrackingTestKit
import WebTrackingURLSession

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

    @Test func sendsNothingAfterShutdown() async throws {
        let transport = URLSessionTransport()
        let server = try LoopbackServer()
        _ = try await transport.send(server.request())
        await transport.shutdown()
        await #expect(throws: TransportError.self) { try await transport.send(server.request()) }
        #expect(server.requests.count == 1)
    }
}
