// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("What is done about signals")
struct SignalPolicyTests {
    private let start = ContinuousClock.now

    private func signal(_ number: Int32, isKernels: Bool = false) -> ReceivedSignal {
        ReceivedSignal(number: number, isKernels: isKernels)
    }

    @Test func theyArePassedOnWhileTheProgramRuns() {
        var policy = SignalPolicy()
        for second in 0..<3 {
            let now = self.start + .seconds(second)
            #expect(policy.action(for: self.signal(SIGTERM), isRunning: true, at: now) == .passOn(SIGTERM))
        }
        #expect(policy.action(for: self.signal(SIGUSR1), isRunning: true, at: self.start) == .passOn(SIGUSR1))
        #expect(policy.passedOn == [SIGTERM, SIGUSR1])
    }

    @Test func whatTheTerminalSendsTheProgramHas() {
        var policy = SignalPolicy()
        #expect(policy.action(for: self.signal(SIGINT, isKernels: true), isRunning: true, at: self.start) == nil)
        #expect(policy.passedOn == [SIGINT])
    }

    @Test func thatTheTerminalHangsUpIsToldToItsFirstProcessAlone() {
        let signal = self.signal(SIGHUP, isKernels: true)
        for isFirst in [true, false] {
            var policy = SignalPolicy(isSessionLeader: isFirst)
            #expect(policy.action(for: signal, isRunning: true, at: self.start) == (isFirst ? .passOn(SIGHUP) : nil))
            #expect(policy.action(for: self.signal(SIGINT, isKernels: true), isRunning: true, at: self.start) == nil)
        }
    }

    @Test func childrenAreCollectedBeforeAndAfter() {
        var policy = SignalPolicy()
        for isRunning in [true, false] {
            let signal = self.signal(SIGCHLD, isKernels: true)
            #expect(policy.action(for: signal, isRunning: isRunning, at: self.start) == .reap)
        }
        #expect(policy.passedOn.isEmpty)
    }

    @Test func afterTheEndASecondGivesUp() {
        var policy = SignalPolicy()
        #expect(policy.action(for: self.signal(SIGTERM), isRunning: true, at: self.start) == .passOn(SIGTERM))
        // GNU timeout sends it twice.
        let moment = self.start + .milliseconds(10)
        #expect(policy.action(for: self.signal(SIGTERM), isRunning: false, at: moment) == nil)
        let later = self.start + .seconds(2)
        #expect(policy.action(for: self.signal(SIGUSR1), isRunning: false, at: later) == nil)
        #expect(policy.action(for: self.signal(SIGTERM), isRunning: false, at: later) == .giveUp)
    }

    @Test("What the program has outlived is no first request", arguments: [(SIGHUP, 2), (SIGTERM, 3600)])
    func oldStopsDoNotCount(number: Int32, seconds: Int) {
        var policy = SignalPolicy()
        #expect(policy.action(for: self.signal(number), isRunning: true, at: self.start) == .passOn(number))
        let later = self.start + .seconds(seconds)
        #expect(policy.action(for: self.signal(SIGTERM), isRunning: false, at: later) == nil)
        #expect(policy.action(for: self.signal(SIGTERM), isRunning: false, at: later + .seconds(2)) == .giveUp)
    }
}
