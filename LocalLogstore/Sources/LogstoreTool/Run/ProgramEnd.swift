// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How a program ended, or did not start, and what it has used.
struct ProgramEnd: Equatable {
    enum Cause: Equatable {
        case exit(Int32)
        case signal(Int32, coreDumped: Bool)
        /// The system's error.
        case notStarted(Int32)
    }

    var cause: Cause
    var runTime = Duration.zero
    var processorTime = Duration.zero
    /// The most memory that it had at a time, in bytes.
    var peakMemory: Int?
    /// Whether it may have been less: the system counts what this process had when it started the other.
    var isPeakBound = false

    /// The status that `run` exits with, as a shell has it.
    var status: Int32 {
        switch self.cause {
        case .exit(let status): status
        case .signal(let number, _): 128 + number
        case .notStarted(ENOENT): 127
        case .notStarted: 126
        }
    }

    /// - Parameter passedOn: The signals that somebody ended it with, through this process.
    func level(passedOn: Set<Int32>) -> Logger.Level {
        switch self.cause {
        case .exit(0): .info
        // It was asked to end, and says so in one way or the other.
        case .signal(let number, _) where passedOn.contains(number): .notice
        case .exit(let status) where passedOn.contains(status - 128): .notice
        case .exit: .error
        case .signal, .notStarted: .critical
        }
    }

    /// What happened, in one line.
    func message(program: String) -> String {
        let after = "after \(Self.seconds(self.runTime)) s"
        let memory = self.peakMemory.map { "; peak memory \(self.isPeakBound ? "at most " : "")\($0 >> 20) MiB" } ?? ""
        switch self.cause {
        case .exit(let status): return "\(program) exited with status \(status) \(after)\(memory)"
        case .signal(let number, let coreDumped):
            let core = coreDumped ? ", core dumped" : ""
            // Nobody else tells that the memory was short.
            let hint = number == SIGKILL ? "; the kernel sends it when memory is short" : ""
            return "\(program) was ended by \(Self.name(of: number))\(core) \(after)\(memory)\(hint)"
        case .notStarted(let error): return "\(program) cannot be started: \(String(cString: strerror(error)))"
        }
    }

    /// The record of it.
    func record(program: String, passedOn: Set<Int32>, lines: LineCounts) -> OutgoingRecord {
        var metadata: Logger.Metadata = ["program": "\(program)"]
        switch self.cause {
        case .exit(let status): metadata["exit_status"] = "\(status)"
        case .signal(let number, let coreDumped):
            metadata["signal"] = "\(number)"
            metadata["signal_name"] = "\(Self.name(of: number))"
            metadata["core_dumped"] = "\(coreDumped)"
        case .notStarted(let error): metadata["errno"] = "\(error)"
        }
        metadata["run_seconds"] = "\(Self.seconds(self.runTime))"
        metadata["processor_seconds"] = "\(Self.seconds(self.processorTime))"
        if let peakMemory = self.peakMemory { metadata["peak_memory_bytes"] = "\(peakMemory)" }
        metadata["lines"] = "\(lines.read)"
        metadata["lines_dropped"] = "\(lines.dropped)"
        return OutgoingRecord(
            level: self.level(passedOn: passedOn),
            message: self.message(program: program),
            metadata: metadata
        )
    }

    private static func seconds(_ duration: Duration) -> String {
        String(((duration / .milliseconds(1)).rounded() / 1000))
    }

    static func name(of signal: Int32) -> String {
        let names = [
            SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
            SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1",
            SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM",
            SIGVTALRM: "SIGVTALRM", SIGPROF: "SIGPROF", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGSYS: "SIGSYS",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}

extension ProgramEnd {
    /// Of what `wait4` says.
    ///
    /// - Parameter ownPeak: The most memory that this process had when it started the other, as `getrusage` has it.
    init(waitStatus: Int32, usage: rusage, runTime: Duration, ownPeak: Int) {
        let signal = waitStatus & 0x7F
        self.cause =
            signal == 0 ? .exit(waitStatus >> 8 & 0xFF) : .signal(signal, coreDumped: waitStatus & 0x80 != 0)
        self.runTime = runTime
        self.processorTime = usage.ru_utime.duration + usage.ru_stime.duration
        self.peakMemory = usage.ru_maxrss * Self.peakUnit
        self.isPeakBound = usage.ru_maxrss <= ownPeak
    }

    #if canImport(Darwin)
    private static let peakUnit = 1
    #else
    private static let peakUnit = 1024
    #endif
}

extension timeval {
    fileprivate var duration: Duration { .seconds(Int64(self.tv_sec)) + .microseconds(Int64(self.tv_usec)) }
}
