// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import OrderService

@Suite struct TraceContextTests {
    private static let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func readsWhatACallerSends() throws {
        let trace = try #require(TraceContext(traceparent: Self.header))
        #expect(trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(trace.spanID == "00f067aa0ba902b7")
        #expect(trace.isSampled)
        #expect(trace.traceparent == Self.header)
    }

    @Test func aChildBelongsToTheSameTrace() throws {
        let trace = try #require(TraceContext(traceparent: String(Self.header.dropLast(2)) + "00"))
        let child = trace.child()
        #expect(child.traceID == trace.traceID)
        #expect(child.spanID != trace.spanID)
        #expect(!child.isSampled)
    }

    @Test(arguments: ["00", "02", "fe"]) func readsNotSampled(flags: String) throws {
        let header = Self.header.dropLast(2) + flags
        #expect(try #require(TraceContext(traceparent: String(header))).isSampled == false)
    }

    @Test(arguments: ["01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", "cc" + header.dropFirst(2)])
    func readsLaterVersions(header: String) {
        #expect(TraceContext(traceparent: header) != nil)
    }

    @Test(arguments: [
        "", "-", "00", "00--00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        header + ", " + header,
    ])
    func refusesWhatIsMalformed(header: String) {
        #expect(TraceContext(traceparent: header) == nil)
    }

    @Test func makesIDsThatTheStandardAllows() {
        for _ in 0..<1000 {
            #expect(TraceContext(traceparent: TraceContext().traceparent) != nil)
        }
    }
}
