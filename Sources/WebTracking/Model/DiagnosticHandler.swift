// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Where a producer's diagnostics go.
public struct DiagnosticHandler: Sendable {
    /// Receives the diagnostics of one producer.
    struct Sink: Sendable {
        /// Reports a diagnostic.
        let report: @Sendable (ProducerDiagnostic) -> Void
        /// Calls a function once all earlier diagnostics are written or dropped; `nil` if they are when `report`
        /// returns.
        var whenWritten: (@Sendable (@escaping @Sendable () -> Void) -> Void)?
        /// Reports that this process is a child of the producer's process (`fork`), which must not use the producer.
        /// Takes no lock.
        var reportForked: @Sendable () -> Void = {}
    }

    private let make: @Sendable (any ProducerClock) -> Sink

    /// Calls `handle` with every diagnostic, without a limit on their rate.
    ///
    /// It is called on the threads that deliver, never on a thread that logs. It must not block: not on a lock that is
    /// held for long, and not on a reader of its output. It must not log through a handler of the same producer: those
    /// records would be sent like all others, and a failure to send them would be reported again.
    public init(_ handle: @escaping @Sendable (ProducerDiagnostic) -> Void) {
        self.make = { _ in Sink(report: handle) }
    }

    private init(make: @escaping @Sendable (any ProducerClock) -> Sink) {
        self.make = make
    }

    /// Writes lines to standard error: for each kind of diagnostic the first one at once, then at most one in ten
    /// seconds, with the number of those left out. A shutdown writes the last one of each kind that was left out. Lines
    /// about settings in force, and about whether the spool can be written to, are never left out.
    ///
    /// Only one thread waits for the reader of standard error. All producers share it, and it exists only while there
    /// is something to write. Meanwhile up to 64 lines and 64 KiB wait with it. Further lines are dropped, and their
    /// number is written later. A reader that is gone does not end the process: the thread blocks SIGPIPE.
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

    /// Makes a sink, with a rate limit of its own.
    func sink(clock: any ProducerClock) -> Sink { self.make(clock) }
}

/// Limits the rate of diagnostics: for each kind, the first one passes, and then one in each interval. A diagnostic
/// without a kind always passes.
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
            // It is the last line, so also write what was left out of the other kinds.
            let rest = kinds.sorted { $0.key < $1.key }.compactMap { _, kind in
                kind.latest.map { Self.line($0, more: kind.suppressed - 1) }
            }
            for key in kinds.keys { kinds[key] = Kind(last: now) }
            return (rest + [Self.line(diagnostic, more: suppressed)]).joined()
        }
    }

    private static func line(_ diagnostic: ProducerDiagnostic, more: Int) -> String {
        let more = more > 0 ? " (and \(more) more like it)" : ""
        // Topics, paths and errors can hold any text. Remove control characters, which a terminal would obey.
        return "webtracking: \(diagnostic)\(more)".withoutControls + "\n"
    }
}
