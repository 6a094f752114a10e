// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SignedPutLogs

import Testing
import WebTrackingTestKit

@testable import WebTracking

/// When the provider is asked, and what is done with what it says.
@Suite(.timeLimit(.minutes(10))) struct CredentialsSourceTests {
    private let clock = ManualClock(wallTime: Rig.start)
    private let diagnostics = Recorder<ProducerDiagnostic>()
    private static let start = Rig.start / 1_000_000_000

    private func source(_ provider: any WebTrackingCredentialsProvider) -> CredentialsSource {
        CredentialsSource(
            provider: provider,
            clock: self.clock,
            time: ServerTime(clock: self.clock),
            timeout: .seconds(15),
            diagnostics: { [diagnostics] in diagnostics.add($0) }
        )
    }

    @Test func credentialsWithoutAnExpirationAreAskedForOnce() async throws {
        let provider = CountingProvider()
        let source = self.source(provider)
        for _ in 0..<10 {
            #expect(try await source.credentials() == CountingProvider.credentials(1))
            self.clock.advance(by: .seconds(86_400))
        }
        #expect(provider.calls == 1)
    }

    @Test func whoeverWaitsAtTheSameTimeWaitsForOneCall() async throws {
        let provider = CountingProvider { call in Self.start + Int64(call) * 3600 }
        let source = self.source(provider)
        for round in 1...3 {
            try await withThrowingTaskGroup(of: WebTrackingCredentials.self) { tasks in
                for _ in 0..<100 { tasks.addTask { try await source.credentials() } }
                for try await credentials in tasks { #expect(credentials.accessKeyID == "STS.\(round)") }
            }
            #expect(provider.calls == round)
            self.clock.advance(by: .seconds(3600))
        }
        #expect(provider.mostAtOnce == 1)
    }

    @Test func theyAreRenewedFiveMinutesAheadAndUsedMeanwhile() async throws {
        let provider = CountingProvider { call in Self.start + Int64(call) * 3600 }
        let source = self.source(provider)
        #expect(try await source.credentials().accessKeyID == "STS.1")
        self.clock.advance(by: .seconds(3299))
        #expect(try await source.credentials().accessKeyID == "STS.1")
        #expect(provider.calls == 1)
        self.clock.advance(by: .seconds(1))
        // Nobody waits for the call that this begins.
        #expect(try await source.credentials().accessKeyID == "STS.1")
        while try await source.credentials().accessKeyID == "STS.1" { await Task.yield() }
        #expect(try await source.credentials().accessKeyID == "STS.2")
        #expect(provider.calls == 2)
    }

    @Test func thoseOfAShortLifeAreRenewedInItsLastFifth() async throws {
        let provider = CountingProvider { call in Self.start + Int64(call) * 100 }
        let source = self.source(provider)
        #expect(try await source.credentials().accessKeyID == "STS.1")
        self.clock.advance(by: .seconds(79))
        #expect(try await source.credentials().accessKeyID == "STS.1")
        #expect(provider.calls == 1)
        self.clock.advance(by: .seconds(1))
        while try await source.credentials().accessKeyID == "STS.1" { await Task.yield() }
        #expect(provider.calls == 2)
    }

    @Test(arguments: [.min, -9_223_372_036, -1, 0, 9_223_372_036, .max] as [Int64])
    func noExpirationEndsTheProcess(expiration: Int64) async throws {
        let provider = CountingProvider { _ in expiration }
        let source = self.source(provider)
        for call in 1...3 {
            let credentials = try await source.credentials()
            // What has expired is asked for again; what never does, once.
            #expect(credentials.accessKeyID == (expiration < Self.start ? "STS.\(call)" : "STS.1"))
            self.clock.advance(by: .seconds(2))
        }
    }

    @Test func aFailedRenewalIsToldAndHarmsNobodyUntilTheyExpire() async throws {
        let provider = CountingProvider { call in Self.start + Int64(call) * 3600 }
        let source = self.source(provider)
        _ = try await source.credentials()
        provider.fail(true)
        self.clock.advance(by: .seconds(3400))
        _ = try await source.credentials()
        await self.diagnostics.wait(for: 1)
        #expect(
            "\(self.diagnostics.elements[0])"
                == "cannot renew the credentials for signing: no credentials: the vault is sealed"
        )
        // Not asked again for ten seconds.
        #expect(try await source.credentials().accessKeyID == "STS.1")
        #expect(provider.calls == 2)
        self.clock.advance(by: .seconds(200))
        await #expect(throws: SigningError.providerFailed("the vault is sealed")) { try await source.credentials() }
        provider.fail(false)
        // Expired, so it is asked again after a second.
        await #expect(throws: SigningError.self) { try await source.credentials() }
        #expect(provider.calls == 3)
        self.clock.advance(by: .seconds(1))
        #expect(try await source.credentials().accessKeyID == "STS.4")
    }

    @Test func refusedOnesAreReplacedOnceHoweverManyWereRefused() async throws {
        let provider = CountingProvider()
        let source = self.source(provider)
        let first = try await source.credentials()
        self.clock.advance(by: .seconds(1))
        try await withThrowingTaskGroup(of: WebTrackingCredentials.self) { tasks in
            for _ in 0..<50 { tasks.addTask { try await source.credentials(insteadOf: first) } }
            for try await credentials in tasks { #expect(credentials.accessKeyID == "STS.2") }
        }
        #expect(provider.calls == 2)
    }

    @Test func aProviderThatHasNoOthersIsNotAskedMoreThanOnceASecond() async throws {
        let provider = CountingProvider()
        provider.repeatItself()
        let source = self.source(provider)
        let first = try await source.credentials()
        for _ in 0..<10 { #expect(try await source.credentials(insteadOf: first) == first) }
        #expect(provider.calls == 1)
        self.clock.advance(by: .seconds(1))
        #expect(try await source.credentials(insteadOf: first) == first)
        #expect(provider.calls == 2)
    }

    @Test func aProviderThatDoesNotAnswerIsGivenUp() async throws {
        let provider = CountingProvider()
        provider.hang(true)
        let source = self.source(provider)
        async let credentials = source.credentials()
        await self.clock.waitForSleepers()
        self.clock.advance(by: .seconds(15))
        do {
            _ = try await credentials
            Issue.record("there are no credentials")
        } catch {
            #expect("\(error)" == "no credentials: the provider took longer than 15.0 seconds")
        }
        provider.hang(false)
        self.clock.advance(by: .seconds(1))
        // Until the call that was cancelled has ended there is no other.
        var renewed = try? await source.credentials()
        while renewed == nil && !Task.isCancelled {
            await Task.yield()
            renewed = try? await source.credentials()
        }
        #expect(renewed?.accessKeyID == "STS.2")
    }

    @Test func aProviderThatDoesNotHeedItsCancellationIsNotCalledBesideItself() async throws {
        let (gate, calls, ended) = (Recorder<Int>(), Recorder<Int>(), Recorder<Int>())
        struct Stubborn: WebTrackingCredentialsProvider {
            let (gate, calls, ended): (Recorder<Int>, Recorder<Int>, Recorder<Int>)
            func credentials() async throws -> WebTrackingCredentials {
                self.calls.add(1)
                defer { self.ended.add(1) }
                await self.gate.wait(for: 1)
                return CountingProvider.credentials(self.calls.elements.count)
            }
        }
        let source = self.source(Stubborn(gate: gate, calls: calls, ended: ended))
        let first = Task { try await source.credentials() }
        await self.clock.waitForSleepers()
        self.clock.advance(by: .seconds(15))
        await #expect(throws: SigningError.providerTimedOut(.seconds(15))) { try await first.value }
        for _ in 1...10 {
            self.clock.advance(by: .seconds(60))
            await #expect(throws: SigningError.providerTimedOut(.seconds(15))) { try await source.credentials() }
        }
        #expect(calls.elements.count == 1)
        gate.add(1)
        var renewed = try? await source.credentials()
        while renewed == nil && !Task.isCancelled {
            await Task.yield()
            renewed = try? await source.credentials()
        }
        // What the first call said came too late.
        #expect(renewed == CountingProvider.credentials(2))
    }

    @Test func oneWhoIsCancelledDoesNotCancelTheOthers() async throws {
        let gate = Recorder<Int>()
        struct Gated: WebTrackingCredentialsProvider {
            let gate: Recorder<Int>
            func credentials() async throws -> WebTrackingCredentials {
                await self.gate.wait(for: 1)
                return CountingProvider.credentials(1)
            }
        }
        let source = self.source(Gated(gate: gate))
        let impatient = Task { try await source.credentials() }
        let patient = Task { try await source.credentials() }
        await self.clock.waitForSleepers()
        impatient.cancel()
        await #expect(throws: CancellationError.self) { try await impatient.value }
        gate.add(1)
        #expect(try await patient.value == CountingProvider.credentials(1))
    }

    @Test(arguments: [
        WebTrackingCredentials(accessKeyID: "", accessKeySecret: "s"),
        WebTrackingCredentials(accessKeyID: "a b", accessKeySecret: "s"),
        WebTrackingCredentials(accessKeyID: "a", accessKeySecret: ""),
        WebTrackingCredentials(accessKeyID: "a", accessKeySecret: "s", securityToken: "x\r\ny: z"),
        WebTrackingCredentials(accessKeyID: "a", accessKeySecret: "s", securityToken: ""),
    ])
    func whatDoesNotFitIntoAHeaderIsNotUsed(credentials: WebTrackingCredentials) async {
        let source = self.source(credentials)
        await #expect(throws: SigningError.self) { try await source.credentials() }
        #expect(self.diagnostics.elements.count == 1)
    }
}

#endif
