// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A signal that came.
struct ReceivedSignal: Equatable, Sendable {
    var number: Int32
    /// Whether the kernel sent it, as for control-C on a terminal.
    var isKernels: Bool
}

/// What is done about signals while a program runs, and after its end.
struct SignalPolicy {
    enum Action: Equatable {
        /// Children may have ended.
        case reap
        case passOn(Int32)
        /// Nobody wants to wait any longer for what is left.
        case giveUp
    }

    /// Whether this process is the first of its terminal, as in a container or over ssh.
    let isSessionLeader: Bool

    private var stops = StopRequests()
    private var lastStop: ContinuousClock.Instant?
    private(set) var passedOn: Set<Int32> = []

    /// Those that ask a program to end.
    private static let stopSignals: Set<Int32> = [SIGHUP, SIGINT, SIGQUIT, SIGTERM]

    /// How long a request to stop counts: one that the program has outlived is about another day.
    private static let memory = Duration.seconds(60)

    /// Those that are passed on if they are not ignored. Others either cannot be caught, or are about this process.
    static let passed: [Int32] = {
        var signals = [
            SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH, SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
        ]
        #if os(Linux)
        signals.append(SIGPWR)
        // Of real time, but for those that the C library keeps for itself.
        signals += 34...64
        #endif
        return signals
    }()

    init(isSessionLeader: Bool = getsid(0) == getpid()) {
        self.isSessionLeader = isSessionLeader
    }

    /// What to do; `nil` for nothing.
    mutating func action(
        for signal: ReceivedSignal,
        isRunning: Bool,
        at now: ContinuousClock.Instant
    ) -> Action? {
        if signal.number == SIGCHLD { return .reap }
        let isStop = Self.stopSignals.contains(signal.number)
        guard isRunning else { return isStop && self.stop(at: now) == .exit ? .giveUp : nil }
        // To a server that runs, SIGHUP is to read its settings again.
        if isStop, signal.number != SIGHUP { _ = self.stop(at: now) }
        self.passedOn.insert(signal.number)
        return self.programHas(signal) ? nil : .passOn(signal.number)
    }

    private mutating func stop(at now: ContinuousClock.Instant) -> StopRequests.Action? {
        if let last = self.lastStop, now - last > Self.memory { self.stops = StopRequests() }
        self.lastStop = now
        return self.stops.add(at: now)
    }

    /// What the terminal sends goes to all of the group, and so to the program, too. But that it hangs up is told to its
    /// first process alone.
    private func programHas(_ signal: ReceivedSignal) -> Bool {
        signal.isKernels && !(signal.number == SIGHUP && self.isSessionLeader)
    }
}
