//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Where a producer's diagnostics go.
public struct DiagnosticHandler: Sendable {
    private let make: @Sendable (any ProducerClock) -> @Sendable (ProducerDiagnostic) -> Void

    /// Calls `handle` with every diagnostic, without a limit on their rate.
    ///
    /// It is called on the threads that deliver, never on a thread that logs. It must not log through a handler of the
    /// same producer: such records would be sent like any others, and failing to send them would be reported again.
    public init(_ handle: @escaping @Sendable (ProducerDiagnostic) -> Void) {
        self.make = { _ in handle }
    }

    private init(make: @escaping @Sendable (any ProducerClock) -> @Sendable (ProducerDiagnostic) -> Void) {
        self.make = make
    }

    /// Lines on standard error: of each kind the first at once, then at most one in ten seconds, with the number left out. A
    /// shutdown tells the last of each kind that was left out.
    public static let standardError = DiagnosticHandler(make: { clock in
        let limiter = DiagnosticLimiter(clock: clock)
        return { diagnostic in
            guard let line = limiter.line(for: diagnostic) else { return }
            writeToStandardError(line)
        }
    })

    /// No diagnostics at all.
    public static let none = DiagnosticHandler { _ in }

    /// The function to call, with a limit of its own.
    func handler(clock: any ProducerClock) -> @Sendable (ProducerDiagnostic) -> Void {
        self.make(clock)
    }
}

/// Lets through the first diagnostic of a kind, and then one in each interval.
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
        let key = diagnostic.rateKey
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

private func writeToStandardError(_ line: String) {
    var line = line
    line.withUTF8 { bytes in
        // One call a line, so that lines of several threads stay whole; a diagnostic that cannot be written is let go.
        _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
}
