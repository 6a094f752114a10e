// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import SystemPackage

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A program that this process has started.
///
/// By `posix_spawn`, not by swift-subprocess: that takes the status itself, without the memory that `wait4` tells of; it is
/// in the way of process 1, who has to collect all that end; and it ends what nohup had ignored.
struct RunningProgram {
    let pid: pid_t
    private let started = ContinuousClock.now
    private let ownPeak: Int

    /// - Parameters:
    ///   - output: What its standard output and standard error are to be; they stay open here.
    ///   - caught: Signals that mean to it what they usually mean, not what they mean here.
    init(_ command: [String], output: FileDescriptor, errors: FileDescriptor, caught: [Int32]) throws(Errno) {
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #else
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output.rawValue, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errors.rawValue, STDERR_FILENO)

        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var usual = sigset_t()
        sigemptyset(&usual)
        for number in caught { sigaddset(&usual, number) }
        posix_spawnattr_setsigdefault(&attributes, &usual)
        // The thread that this runs on may be one of those that block signals.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

        let arguments = command.map { strdup($0) } + [nil]
        defer { for text in arguments { free(text) } }
        self.ownPeak = Self.ownPeak()
        var pid: pid_t = 0
        let error = posix_spawnp(&pid, command[0], &actions, &attributes, arguments, environ)
        guard error == 0 else { throw Errno(rawValue: error) }
        self.pid = pid
    }

    func send(_ signal: Int32) {
        // It may have ended meanwhile, but has not been collected, and so its number is no other process's.
        kill(self.pid, signal)
    }

    /// Collects all processes that have ended, also those that process 1 gets from others. Returns how this one ended, if
    /// it did.
    ///
    /// Looks first who it is, and leaves it: a status can be taken once only.
    func collect() -> ProgramEnd? {
        var end: ProgramEnd?
        while true {
            var info = siginfo_t()
            guard waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0, info.pid != 0 else { return end }
            var status: Int32 = 0
            var usage = rusage()
            guard wait4(info.pid, &status, WNOHANG, &usage) == info.pid else { return end }
            if info.pid == self.pid {
                end = ProgramEnd(
                    waitStatus: status,
                    usage: usage,
                    runTime: ContinuousClock.now - self.started,
                    ownPeak: self.ownPeak
                )
            }
        }
    }

    private static func ownPeak() -> Int {
        var usage = rusage()
        #if canImport(Glibc)
        getrusage(RUSAGE_SELF.rawValue, &usage)
        #else
        getrusage(RUSAGE_SELF, &usage)
        #endif
        return usage.ru_maxrss
    }
}

extension siginfo_t {
    /// Of SIGCHLD.
    fileprivate var pid: pid_t {
        #if canImport(Glibc)
        self._sifields._sigchld.si_pid
        #elseif canImport(Musl)
        self.__si_fields.__si_common.__first.__piduid.si_pid
        #else
        self.si_pid
        #endif
    }
}
