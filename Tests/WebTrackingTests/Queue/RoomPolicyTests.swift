// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import WebTracking

/// Where a record goes that does not simply fit, decided without memory or files.
@Suite struct RoomPolicyTests {
    private func step(
        memory: Bool = true,
        files: Bool = true,
        _ open: RoomPolicy.Open,
        isFileReady: Bool = false
    ) -> RoomPolicy.Step {
        RoomPolicy.step(admitsMemory: memory, admitsFiles: files, open: open) { isFileReady }
    }

    @Test func anOpenFileIsUsedUntilItIsFullOrItsRequestIs() {
        let roomy = RoomPolicy.Open(isInFile: true, isFull: false, hasRoom: true)
        #expect(self.step(roomy) == .use)
        #expect(self.step(files: false, roomy) == .evict)
        #expect(self.step(memory: false, files: false, roomy) == .refuse)
        #expect(self.step(.init(isInFile: true, isFull: true, hasRoom: true)) == .replace(growing: false))
        #expect(self.step(.init(isInFile: true, isFull: false, hasRoom: false)) == .replace(growing: true))
    }

    @Test func anOpenSegmentInMemoryGrowsUnlessFilesAreBack() {
        let tight = RoomPolicy.Open(isInFile: false, isFull: false, hasRoom: false)
        #expect(self.step(tight) == .grow)
        #expect(self.step(tight, isFileReady: true) == .replace(growing: false))
        // The bound on files is none of its business.
        #expect(self.step(files: false, tight) == .grow)
        #expect(self.step(.init(isInFile: false, isFull: false, hasRoom: true), isFileReady: true) == .use)
    }

    @Test func spoolPressureIsThatOfTheMostSevereRecordAndIsTakenOnce() {
        var pressure = SpoolPressure()
        #expect(pressure.take() == nil)
        for rank in [2, nil, 5, 3] { pressure.note(rank) }
        #expect(pressure.take() == 5)
        #expect(pressure.take() == nil)
    }
}
