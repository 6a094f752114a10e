// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("Requests to stop")
struct StopRequestsTests {
    @Test("Signals within a second are one request, a later one is another")
    func countsSignals() {
        let start = ContinuousClock.now
        var requests = StopRequests()
        #expect(requests.add(at: start) == .stop)
        #expect(requests.add(at: start) == nil)
        #expect(requests.add(at: start + .milliseconds(999)) == nil)
        // Not a moment from the last, else they could go on for ever.
        #expect(requests.add(at: start + .milliseconds(1000)) == .exit)
    }
}
