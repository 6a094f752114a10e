// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Where a producer's diagnostics go.
public struct DiagnosticHandler: Sendable {
    /// What a producer tells its diagnostics to.
    struct Sink: Sendable {
        /// Tells a diagnostic.
        let report: @Sendable (ProducerDiagnostic) -> Void
        /// Calls a function once all that was told before has been written or let go; `nil` if it has when `report` returns.
        var whenWritten: (@Sendable (@escaping @Sendable () -> Void) -> Void)?
        /// Tells, without a lock, that the process is a child of the producer's that must not use it.
        var reportForked: @Sendable () -> Void = {}
    }

    private let make: @Sendable (any ProducerClock) -> Sink

    /// Calls `handle` with every diagnostic, without a limit on their rate.
    ///
    /// It is called on the threads that deliver, never on a thread that logs, and must not wait: not for a lock that is held
    /// for long, nor for somebody to read what it writes. It must not log through a handler of the same producer: such
    /// records would be sent like any others, and failing to send them would be reported again.
    public init(_ handle: @escaping @Sendable (ProducerDiagnostic) -> Void) {
        self.make = { _ in Sink(report: handle) }
    }

    private init(make: @escaping @Sendable (any ProducerClock) -> Sink) {
        self.make = make
    }

    /// Lines on standard error: of each kind the first at once, then at most one in ten seconds, with the number left out. A
    /// shutdown tells the last of each kind that was left out. Whether settings are in force, and whether the spool can be
    /// written to, is never left out.
    ///
    /// Nothing waits for whoever reads standard error but one thread, which all producers share and which is there only
    /// while there is something to write. While it waits, 64 lines and 64 KiB may wait with it; what is beyond is counted, and
    /// told once lines are written again. A reader that is gone does not end the process: that thread takes no SIGPIPE.
    public static let standardError = DiagnosticHandler(make: { clock in
        let limiter = DiagnosticLimiter(clock: clock)
        return Sink(
            report: { diagnostic in
                if let line = limiter.line(for: diagnostic) { LineWriter.standardError.append(line) }
            },
            whenWritten: { LineWriter.standardError.whenWritten($0) },
            reportForked: {
                LineWriter.standardError.append(
                    "webtracking: this process was forked from the producer's; its records are dropped (after_fork)."
                        + " Make a producer in the child.\n"
                )
            }
        )
    })

    /// No diagnostics at all.
    public static let none = DiagnosticHandler { _ in }

    /// What to tell diagnostics to, with a limit of its own.
    func sink(clock: any ProducerClock) -> Sink { self.make(clock) }
}

/// Lets through the first diagnostic of a kind, and then one in each interval; all of those that have no kind.
final class DiagnosticLimiter: Sendable {
    private struct Kind {
        var last: MonotonicInstant
        var suppressed = 0
        /// The last one that was left out.
        var latest: ProducerDiagnostic?
    }

    private static let interval = Duration.seconds(10)
    private let clock: any ProducerClock
    private let kinds = Lock<[String: Kind]>([:])

    init(clock: any ProducerClock) {
        self.clock = clock
    }

    /// The lines to write, or `nil` if the diagnostic is left out for now.
    func line(for diagnostic: ProducerDiagnostic) -> String? {
        let now = self.clock.now()
        guard let key = diagnostic.rateKey else { return Self.line(diagnostic, more: 0) }
        return self.kinds.withLock { kinds in
            if let kind = kinds[key], now < kind.last + Self.interval {
                kinds[key]?.suppressed += 1
                kinds[key]?.latest = diagnostic
                return nil
            }
            let suppressed = kinds[key]?.suppressed ?? 0
            kinds[key] = Kind(last: now)
            guard case .shutdownFinished = diagnostic else { return Self.line(diagnostic, more: suppressed) }
            // Nothing comes after it that could tell of them.
            let rest = kinds.sorted { $0.key < $1.key }.compactMap { _, kind in
                kind.latest.map { Self.line($0, more: kind.suppressed - 1) }
            }
            for key in kinds.keys { kinds[key] = Kind(last: now) }
            return (rest + [Self.line(diagnostic, more: suppressed)]).joined()
        }
    }

    private static func line(_ diagnostic: ProducerDiagnostic, more: Int) -> String {
        let more = more > 0 ? " (and \(more) more like it)" : ""
        // Topics, paths and errors can hold anything, and whoever reads a log in a terminal is not to obey it.
        return "webtracking: \(diagnostic)\(more)".withoutControls + "\n"
    }
}
