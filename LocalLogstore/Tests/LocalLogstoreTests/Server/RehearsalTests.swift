// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import LocalLogstoreTestSupport
import NIOHTTP1
import Testing

@testable import LocalLogstore

@Suite("Rehearsal")
struct RehearsalTests {
    private func request(_ index: Int = 0, bytes: Int = 100, logs: Int = 1) -> RehearsalPlan.Request {
        RehearsalPlan.Request(index: index, rawBytes: bytes, logCount: logs, logstore: "app", topic: "")
    }

    private func plan(_ change: (inout RehearsalSettings) -> Void) -> RehearsalPlan {
        var settings = RehearsalSettings()
        change(&settings)
        return RehearsalPlan(settings)
    }

    @Test func doesNothingByDefault() {
        var plan = self.plan { _ in }
        for index in 0..<1000 {
            let verdict = plan.verdict(for: self.request(index, bytes: 3_000_000, logs: 4096), at: 0, chance: 1)
            #expect(verdict == RehearsalPlan.Verdict())
        }
    }

    @Test func keepsTheQuotaOfBytes() {
        var plan = self.plan { $0.shards = 2 }
        // Half a megabyte a request: ten a second through each of two shards.
        let answers = (0..<40).map { plan.verdict(for: self.request($0, bytes: 500_000), at: 0, chance: 0).fault }
        #expect(answers.count { $0 == nil } == 20)
        #expect(answers.compactMap(\.self).allSatisfy { $0 == Fault.named("shard-quota") })
        // A second later there is as much again, and not more for having waited longer.
        let later = (0..<40).map { plan.verdict(for: self.request($0, bytes: 500_000), at: 60, chance: 0).fault }
        #expect(later.count { $0 == nil } == 20)
    }

    @Test func keepsTheQuotaOfRequests() {
        var plan = self.plan {
            $0.shards = 1
            $0.shardRequests = 5
        }
        func passing(at seconds: Double) -> Int {
            (0..<10).count { plan.verdict(for: self.request($0), at: seconds, chance: 0).fault == nil }
        }
        #expect(passing(at: 0) == 5)
        #expect(passing(at: 0.4) == 2)
    }

    @Test func givesEachLogstoreShardsOfItsOwn() {
        var plan = self.plan {
            $0.shards = 1
            $0.shardRequests = 2
        }
        var passing: [String: Int] = [:]
        for index in 0..<12 {
            var request = self.request(index)
            request.logstore = ["a", "b"][index % 2]
            request.project = ["p", "q"][index / 2 % 2]
            let fault = plan.verdict(for: request, at: 0, chance: 0).fault
            if fault == nil { passing[request.project + request.logstore, default: 0] += 1 }
        }
        #expect(passing == ["pa": 2, "pb": 2, "qa": 2, "qb": 2])
    }

    /// Which does not take turns with the others.
    @Test func takesAKeyToItsShard() {
        var plan = self.plan {
            $0.shards = 2
            $0.shardRequests = 3
        }
        func passing(_ key: String) -> Int {
            (0..<10).count { index in
                var request = self.request(index)
                request.key = key
                return plan.verdict(for: request, at: 0, chance: 0).fault == nil
            }
        }
        #expect(passing(String(repeating: "0", count: 32)) == 3)
        #expect(passing("7" + String(repeating: "f", count: 31)) == 0)
        #expect(passing("8" + String(repeating: "0", count: 31)) == 3)
        #expect(passing(String(repeating: "f", count: 32)) == 0)
    }

    @Test func wantsToKnowWhatGoesWrong() {
        var settings = RehearsalSettings()
        settings.errorShare = 0.5
        #expect(settings.problem == nil)
        settings.errorKinds = []
        #expect(settings.problem != nil)
    }

    @Test func hasWindows() {
        var plan = self.plan {
            $0.outage = RehearsalSettings.Window(start: 10, length: 5)
            $0.trackingOff = RehearsalSettings.Window(start: 20, length: 1)
        }
        func fault(at seconds: Double) -> Fault? { plan.verdict(for: self.request(), at: seconds, chance: 0).fault }
        #expect(fault(at: 9.9) == nil)
        #expect(fault(at: 10) == .resetBeforeStore && fault(at: 14.9) == .resetBeforeStore)
        #expect(fault(at: 15) == nil)
        #expect(fault(at: 20.5) == .answer(.trackingOff("app")))
        #expect(fault(at: 21) == nil)
    }

    @Test func delaysAndLimits() {
        var plan = self.plan {
            $0.latency = 100
            $0.jitter = 50
            $0.maximumBytes = 1000
            $0.maximumLogs = 10
        }
        #expect(plan.verdict(for: self.request(), at: 0, chance: 0).delay == .milliseconds(100))
        #expect(plan.verdict(for: self.request(), at: 0, chance: 1).delay == .milliseconds(150))
        func status(_ request: RehearsalPlan.Request) -> Int? {
            guard case .answer(let error)? = plan.verdict(for: request, at: 0, chance: 0).fault else { return nil }
            return error.status
        }
        #expect(status(self.request(bytes: 1000, logs: 10)) == nil)
        #expect(status(self.request(bytes: 1001)) == 413)
        #expect(status(self.request(logs: 11)) == 400)
    }

    @Test func isChangedWhileTheEndpointRuns() async throws {
        try await withServer { server async throws in
            #expect(try await server.post(Body.small).status == 200)
            let change = try await server.api(
                "rehearsal",
                method: .PUT,
                json: #"{"errorShare":1,"errorKinds":["503"]}"#
            )
            #expect(change.status == 200 && change.body.contains(#""errorShare":1.0"#))
            #expect(try await server.post(Body.small).status == 503)
            #expect(try await server.api("rehearsal").body.contains(#""faults":1,"#))
            let off = #"{"trackingOff":{"start":0,"length":1000}}"#
            #expect(try await server.api("rehearsal", method: .PUT, json: off).body.contains(#""trackingOffNow":true"#))
            #expect(try await server.post(Body.small).status == 401)
            #expect(try await server.api("rehearsal", method: .PUT, json: "{}").status == 200)
            #expect(try await server.post(Body.small).status == 200)
            #expect(try await server.store.count() == 2)
        }
    }

    @Test(arguments: [
        "[]", "x", #"{"errorShare":2}"#, #"{"errorKinds":["what"]}"#, #"{"what":1}"#, #"{"latency":-1}"#,
        #"{"shards":"2"}"#, #"{"outage":{"start":0}}"#, #"{"outage":{"start":-1,"length":5}}"#, #"{"maximumLogs":0}"#,
        #"{"forgetKeys":-1}"#, #"{"forgetKeys":"1"}"#,
    ])
    func refuses(json: String) async throws {
        try await withServer { server async throws in
            #expect(try await server.api("rehearsal", method: .PUT, json: json).status == 400)
            #expect(server.server.rehearsal.status.settings == RehearsalSettings())
        }
    }
}
