// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTracking

@testable import LogstoreTool

@Suite("How lines are shipped")
struct ShippingTests {
    private let start = ContinuousClock.now

    @Test func dropsAreToldOfOnceASecond() {
        var notice = DropNotice()
        #expect(notice.count(dropped: 0, at: self.start) == nil)
        #expect(notice.count(dropped: 5, at: self.start) == 5)
        #expect(notice.count(dropped: 9, at: self.start + .milliseconds(999)) == nil)
        #expect(notice.count(dropped: 12, at: self.start + .seconds(1)) == 7)
        #expect(notice.count(dropped: 12, at: self.start + .seconds(5)) == nil)
    }

    @Test(arguments: [(false, false, 0), (false, true, 2), (true, false, 18), (true, true, 18)])
    func whoCannotKeepUpLeavesTheProcessorToTheProgram(isCrowded: Bool, isBehind: Bool, milliseconds: Int) {
        let pause = ShippingPace.pause(after: .milliseconds(2), isCrowded: isCrowded, isBehind: isBehind)
        #expect(pause == .milliseconds(milliseconds))
    }

    /// Nobody ends a pause, and the work may have taken long because the machine stood still.
    @Test(arguments: [(true, false), (false, true)])
    func noPauseIsLong(isCrowded: Bool, isBehind: Bool) {
        let pause = ShippingPace.pause(after: .seconds(3600), isCrowded: isCrowded, isBehind: isBehind)
        #expect(pause == .milliseconds(100))
    }

    @Test func whatIsTheProgramsOwnIsReadAfterTheDeadline() {
        var end = ReadingEnd(deadline: self.start, owedBytes: 100)
        #expect(end.mayRead(at: self.start + .seconds(9)))
        end.read(60)
        #expect(end.mayRead(at: self.start + .seconds(9)))
        end.read(60)
        #expect(!end.mayRead(at: self.start + .seconds(9)) && end.mayRead(at: self.start - .seconds(1)))
    }
}
