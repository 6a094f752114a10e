// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

@Suite struct ReadyFilePolicyTests {
    private static let small = SpoolFile.bytes(capacity: 32 << 10)

    private func instant(_ seconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: seconds * 1_000_000_000)
    }

    private func policy(_ maximumBytes: Int = 1 << 30) -> ReadyFilePolicy {
        ReadyFilePolicy(maximumBytes: maximumBytes, largest: max(maximumBytes / 64, 32 << 10))
    }

    /// What is ready once all that is asked for is done.
    private func settle(
        _ policy: inout ReadyFilePolicy,
        _ ready: [Int: Int] = [:],
        room: Int = 1 << 30,
        at now: MonotonicInstant
    ) -> [Int: Int] {
        var ready = ready
        var room = room
        while let step = policy.next(ready, room: room, at: now) {
            switch step {
            case .make(let bytes):
                ready[bytes, default: 0] += 1
                room -= bytes
            case .drop(let bytes):
                ready[bytes, default: 0] -= 1
                room += bytes
            }
            #expect(room >= 0)
        }
        return ready.filter { $0.value > 0 }
    }

    private func bytes(_ ready: [Int: Int]) -> Int { ready.reduce(0) { $0 + $1.key * $1.value } }

    @Test func beforeAnythingIsAskedForThereAreFilesOfEachSizeThatATopicGrowsThrough() {
        var policy = self.policy()
        let ready = self.settle(&policy, at: self.instant(0))
        #expect(ready.keys.sorted() == [32, 64, 128, 256].map { SpoolFile.bytes(capacity: $0 << 10) })
        #expect(ready[Self.small] == 8)
        #expect(self.bytes(ready) < 2 << 20)
    }

    @Test func theSmallOnesAreMadeFirst() {
        var policy = self.policy()
        #expect(policy.next([:], room: 1 << 30, at: self.instant(0)) == .make(bytes: Self.small))
    }

    @Test func aSmallSpoolKeepsFewFilesReady() {
        var policy = self.policy(1 << 20)
        let ready = self.settle(&policy, room: 1 << 20, at: self.instant(0))
        #expect(ready == [Self.small: 3])
    }

    @Test func nothingIsMadeBeyondTheRoom() {
        var policy = self.policy()
        #expect(self.settle(&policy, room: 2 * Self.small, at: self.instant(0)) == [Self.small: 2])
        #expect(policy.next([:], room: Self.small - 1, at: self.instant(0)) == nil)
    }

    @Test func asManyAreReadyAsWereAskedForOfLateAsFarAsAFewMegabytesGo() {
        var policy = self.policy()
        for _ in 0..<64 { policy.note(Self.small, at: self.instant(0)) }
        #expect(self.settle(&policy, at: self.instant(0))[Self.small] == 64)
        let large = 300 << 12
        for _ in 0..<1000 { policy.note(large, at: self.instant(1)) }
        let ready = self.settle(&policy, at: self.instant(1))
        #expect(ready[large, default: 0] >= 4)
        #expect(self.bytes(ready) <= 10 << 20)
    }

    @Test func oneOfASizeIsReadyHoweverLargeIt() {
        var policy = self.policy()
        policy.note(64 << 20, at: self.instant(0))
        #expect(self.settle(&policy, at: self.instant(0))[64 << 20] == 1)
    }

    @Test func whatNobodyAsksForAnyMoreGoes() {
        var policy = self.policy()
        for _ in 0..<64 { policy.note(Self.small, at: self.instant(0)) }
        let ready = self.settle(&policy, at: self.instant(0))
        // In the window behind it, it is remembered still.
        #expect(self.settle(&policy, ready, at: self.instant(19)) == ready)
        #expect(self.settle(&policy, ready, at: self.instant(20))[Self.small] == 8)
    }

    @Test func itComesToAnEnd() {
        // What is made is not dropped again, whatever there was before.
        var random = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            var policy = self.policy(1 << Int.random(in: 20...34, using: &random))
            var ready: [Int: Int] = [:]
            for _ in 0..<Int.random(in: 0..<20, using: &random) {
                policy.note(Int.random(in: 2..<2000, using: &random) << 12, at: self.instant(0))
                ready[Int.random(in: 2..<2000, using: &random) << 12, default: 0] += 1
            }
            let settled = self.settle(&policy, ready, at: self.instant(0))
            #expect(policy.next(settled, room: 1 << 40, at: self.instant(0)) == nil || self.bytes(settled) > 0)
            #expect(settled.allSatisfy { policy.wants($0.key, beside: [:]) })
        }
    }
}
