// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LocalLogstore

@Suite("Plan of faults")
struct FaultPlanTests {
    private func faults(_ plan: FaultPlan, _ count: Int) -> [Fault?] {
        (0..<count).map { plan.fault(for: FaultPlan.Request(index: $0, logstore: "l", topic: "t", logCount: 1)) }
    }

    @Test func followsASequence() {
        #expect(
            self.faults(.sequence([nil, .cutReply, nil, .resetAfterStore]), 6) == [
                nil, .cutReply, nil, .resetAfterStore, nil, nil,
            ]
        )
        #expect(self.faults(.none, 3) == [nil, nil, nil])
    }

    @Test func picksAShareOfTheRequests() {
        let kinds: [Fault] = [.cutReply, .resetBeforeStore]
        for seed: UInt64 in 1...5 {
            let faults = self.faults(.random(share: 0.33, of: kinds, seed: seed), 10_000)
            #expect((3000...3600).contains(faults.count { $0 != nil }))
            for kind in kinds { #expect((1400...1900).contains(faults.count { $0 == kind })) }
        }
    }

    @Test func picksTheSameAgainForOneSeed() {
        func plan(_ seed: UInt64) -> [Fault?] { self.faults(.random(share: 0.5, of: [.cutReply], seed: seed), 100) }
        #expect(plan(1) == plan(1))
        #expect(plan(1) != plan(2))
    }

    @Test func knowsNoneAndAll() {
        #expect(self.faults(.random(share: 0, of: [.cutReply], seed: 1), 1000).allSatisfy { $0 == nil })
        #expect(self.faults(.random(share: 1, of: [.cutReply], seed: 1), 1000).allSatisfy { $0 == .cutReply })
        #expect(self.faults(.random(share: 1, of: [], seed: 1), 10).allSatisfy { $0 == nil })
    }

    @Test func namesEveryKindOnce() {
        #expect(Set(Fault.kinds.map(\.name)).count == Fault.kinds.count)
        for (name, fault) in Fault.kinds { #expect(Fault.named(name) == fault) }
        #expect(Fault.named("other") == nil)
    }
}
