// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import Testing

@testable import LogstoreTool

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite("The end of a program")
struct ProgramEndTests {
    private func end(_ waitStatus: Int32, peak: Int = 50_000, ownPeak: Int = 40_000) -> ProgramEnd {
        var usage = rusage()
        usage.ru_utime.tv_sec = 1
        usage.ru_stime.tv_usec = 250_000
        usage.ru_maxrss = peak
        return ProgramEnd(waitStatus: waitStatus, usage: usage, runTime: .milliseconds(2500), ownPeak: ownPeak)
    }

    @Test(
        arguments: [
            (0x0000, .exit(0), 0), (0x0300, .exit(3), 3), (0xFF00, .exit(255), 255),
            (0x0009, .signal(9, coreDumped: false), 137), (0x008B, .signal(11, coreDumped: true), 139),
        ] as [(Int32, ProgramEnd.Cause, Int32)]
    )
    func isReadAndPassedOn(waitStatus: Int32, cause: ProgramEnd.Cause, status: Int32) {
        #expect(self.end(waitStatus).cause == cause && self.end(waitStatus).status == status)
    }

    @Test func aProgramThatCannotBeStartedIsAsAShellSays() {
        #expect(ProgramEnd(cause: .notStarted(ENOENT)).status == 127)
        #expect(ProgramEnd(cause: .notStarted(EACCES)).status == 126)
        let message = ProgramEnd(cause: .notStarted(ENOENT)).message(program: "x")
        #expect(message == "x cannot be started: No such file or directory")
    }

    @Test(
        arguments: [
            (.exit(0), .info), (.exit(1), .error), (.exit(143), .notice),
            (.signal(SIGTERM, coreDumped: false), .notice),
            (.signal(SIGKILL, coreDumped: false), .critical), (.notStarted(ENOENT), .critical),
        ] as [(ProgramEnd.Cause, Logger.Level)]
    )
    func isAsBadAsItIs(cause: ProgramEnd.Cause, level: Logger.Level) {
        #expect(ProgramEnd(cause: cause).level(passedOn: [SIGTERM]) == level)
    }

    @Test func aSignalThatNobodyPassedOnIsACrash() {
        #expect(ProgramEnd(cause: .signal(SIGTERM, coreDumped: false)).level(passedOn: []) == .critical)
        #expect(ProgramEnd(cause: .exit(143)).level(passedOn: []) == .error)
    }

    @Test func theRecordSaysAll() {
        let record = self.end(0x0300).record(program: "shop", passedOn: [], lines: LineCounts(read: 7, dropped: 2))
        #expect(record.level == .error)
        #expect(record.message.hasPrefix("shop exited with status 3 after 2.5 s; peak memory "))
        #expect(
            record.metadata["exit_status"] == "3" && record.metadata["run_seconds"] == "2.5"
                && record.metadata["processor_seconds"] == "1.25" && record.metadata["lines"] == "7"
                && record.metadata["lines_dropped"] == "2" && record.metadata["signal"] == nil
        )
        let killed = self.end(0x0009).record(program: "shop", passedOn: [], lines: LineCounts())
        #expect(killed.message.hasPrefix("shop was ended by SIGKILL after 2.5 s"))
        #expect(killed.message.contains("memory is short"))
        #expect(killed.metadata["signal"] == "9" && killed.metadata["signal_name"] == "SIGKILL")
    }

    /// The system counts for a program what its parent had when it was started.
    @Test func aPeakThatMayBeOursIsABound() {
        #expect(self.end(0, peak: 40_000).message(program: "x").contains("at most"))
        #expect(!self.end(0, peak: 40_001).message(program: "x").contains("at most"))
    }
}
