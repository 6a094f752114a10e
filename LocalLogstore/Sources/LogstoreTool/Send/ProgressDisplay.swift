// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTracking

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Draws the progress on a terminal, and nothing elsewhere.
struct ProgressDisplay: Sendable {
    let progress: SendProgress
    let producer: WebTrackingProducer

    /// Draws until the task is cancelled, then clears the line.
    func run() async {
        guard isatty(STDERR_FILENO) == 1 else { return }
        while !Task.isCancelled {
            let statistics = self.producer.statistics
            let line = self.progress.snapshot.line(delivered: statistics.delivered, pending: statistics.pending)
            ErrorOutput.shared.write("\r\u{1B}[K" + line, isTransient: true)
            try? await Task.sleep(for: .milliseconds(200))
        }
        ErrorOutput.shared.write("\r\u{1B}[K")
    }

    /// Diagnostics that do not end up behind the progress: on a terminal they replace its line.
    static func diagnostics(
        endpoint: String,
        replacesProgress: Bool = true,
        where isWanted: @escaping @Sendable (ProducerDiagnostic) -> Bool = { diagnostic in
            // The settings of a command line need no report.
            if case .settingsInForce = diagnostic { false } else { true }
        }
    ) -> DiagnosticHandler {
        let start = replacesProgress && isatty(STDERR_FILENO) == 1 ? "\r\u{1B}[K" : ""
        let last = Mutex<[String: ContinuousClock.Instant]>([:])
        return DiagnosticHandler { diagnostic in
            guard isWanted(diagnostic) else { return }
            let text = PlainEndpoint.hint(about: diagnostic, endpoint: endpoint) ?? "\(diagnostic)"
            // Of each kind one in ten seconds: they differ in their numbers.
            let kind = String(text.prefix { !$0.isNumber })
            let isDue = last.withLock { last in
                if let time = last[kind], ContinuousClock.now - time < .seconds(10) { return false }
                last[kind] = .now
                return true
            }
            if isDue { Output.note(start + "webtracking: " + TerminalText.escaped(text)) }
        }
    }
}
