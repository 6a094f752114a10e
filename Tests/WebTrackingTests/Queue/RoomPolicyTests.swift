// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// Where a record goes that does not simply fit, decided without memory or files.
@Suite struct RoomPolicyTests {
    private func step(
        memory: Bool = true,
        home: Bool = true,
        _ open: RoomPolicy.Open,
        isPlaceReady: Bool = false
    ) -> RoomPolicy.Step {
        RoomPolicy.step(admitsMemory: memory, admitsHome: home, open: open) { isPlaceReady }
    }

    @Test func anOpenFileIsUsedUntilItIsFullOrItsRequestIs() {
        let roomy = RoomPolicy.Open(isFixed: true, isFull: false, hasRoom: true)
        #expect(self.step(roomy) == .use)
        #expect(self.step(home: false, roomy) == .evict)
        #expect(self.step(memory: false, home: false, roomy) == .refuse)
        #expect(self.step(.init(isFixed: true, isFull: true, hasRoom: true)) == .replace(growing: false))
        #expect(self.step(.init(isFixed: true, isFull: false, hasRoom: false)) == .replace(growing: true))
    }

    @Test func anOpenSegmentInMemoryGrowsUnlessFilesAreBack() {
        let tight = RoomPolicy.Open(isFixed: false, isFull: false, hasRoom: false)
        #expect(self.step(tight) == .grow)
        #expect(self.step(tight, isPlaceReady: true) == .replace(growing: false))
        // The bound of the home is none of its business.
        #expect(self.step(home: false, tight) == .grow)
        #expect(self.step(.init(isFixed: false, isFull: false, hasRoom: true), isPlaceReady: true) == .use)
    }

    @Test func spoolPressureIsThatOfTheMostSevereRecordAndIsTakenOnce() {
        var pressure = SpoolPressure()
        #expect(pressure.take() == nil)
        for rank in [2, nil, 5, 3] { pressure.note(rank) }
        #expect(pressure.take() == 5)
        #expect(pressure.take() == nil)
    }
}
