// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What a producer has to say about itself; never passes through swift-log.
///
/// By default diagnostics become lines on standard error, at most one of a kind in ten seconds but for those about settings
/// (``DiagnosticHandler/standardError``).
public enum ProducerDiagnostic: Sendable {
    /// Why records were not delivered.
    public enum Failure: Sendable, CustomStringConvertible {
        /// The service said no, or something in between answered.
        case service(ServiceError)
        /// No complete answer came.
        case noAnswer(String)
        /// The file with the records is gone, or is not what it was.
        case file(String)

        /// The failure in one line.
        public var description: String {
            switch self {
            case .service(let error): error.description
            case .noAnswer(let error): "no answer: \(error)"
            case .file(let error): "their file is lost: \(error)"
            }
        }
    }

    /// A request failed; its records are kept and sent again after the delay.
    case requestFailed(topic: String, outcome: RequestOutcome, failure: Failure, retryIn: Duration)
    /// Records were given up.
    case recordsDropped(topic: String, reason: DropReason, count: Int, failure: Failure?)
    /// One record was given up by itself, as it was refused alone. Nothing that it says is told.
    case recordRefused(topic: String, reason: DropReason, record: RefusedRecord, failure: Failure?)
    /// No file can be made in the spool directory; new records are kept in memory only, and do not outlive the process.
    /// Tried again after a second, with the next record or attempt to deliver.
    case spoolUnavailable(directory: String, reason: String)
    /// Files can be made in the spool directory again.
    case spoolAvailable(directory: String)
    /// Something failed in the spool other than making files for new records: syncing or opening a file or folder, a look
    /// for what earlier processes have left, the return of a batch from memory.
    case spoolFailed(directory: String, reason: String)
    /// With durability `.power`: making files survive a loss of power took longer than the interval, so that a loss would
    /// take more with it. Told once until it is better. And at the end of a shutdown, the last round had not ended in time.
    case spoolSyncSlow(directory: String, took: Duration, interval: Duration)
    /// A file in the spool directory is damaged, or in a rescue holds a record that was refused; its other records are
    /// delivered, and the file is kept.
    case spoolDamaged(file: String, reason: String)
    /// Records of earlier processes were found in the spool directory and taken over for delivery: all that one look has
    /// found, told when the last of them is taken over.
    case spoolRecovered(directory: String, records: Int, files: Int)
    /// Records of dead processes stay in the spool directory, since this producer must not or cannot deliver them: they are
    /// for another logstore, in a newer format, or in a folder or file (`path`) that may not be used. Told at each start,
    /// once for each reason, with what to do about it; `records` is `nil` for what cannot be counted.
    case spoolLeft(path: String, records: Int?, files: Int, reason: String, suggestion: String)
    /// The levels, the redaction and the sampling that hold from now on, in one line: told when the producer is made, and
    /// when a followed configuration has changed them. Behind them, the keys of that which are read at a start only, and are
    /// not as they were then.
    case settingsInForce(summary: String)
    /// A followed configuration said something that cannot work; the settings before it stay in force.
    case settingsRefused(reason: String)
    /// With signed delivery: the provider has given no credentials. Those at hand are used while they are valid; without
    /// any, records wait.
    case credentialsUnavailable(reason: String)
    /// The shutdown has ended.
    case shutdownFinished(DeliveryReport)
}

extension ProducerDiagnostic: CustomStringConvertible {
    /// The diagnostic in one line, without what a terminal or a reader could be misled by in topics and answers.
    public var description: String { self.line.withoutControls }

    private var line: String {
        switch self {
        case .requestFailed(let topic, let outcome, let failure, let delay):
            let hint = Self.hint(for: outcome, failure)
            return
                "request for topic \(topic.debugDescription) failed, next attempt in \(Self.text(delay)): \(failure)\(hint)"
        case .recordsDropped(let topic, let reason, let count, let failure):
            let cause = failure.map { ": \($0)" } ?? ""
            return "dropped \(count) records of topic \(topic.debugDescription), reason \(reason.rawValue)\(cause)"
        case .recordRefused(let topic, let reason, let record, let failure):
            let cause = failure.map { ": \($0)" } ?? ""
            return "dropped \(record) of topic \(topic.debugDescription), reason \(reason.rawValue)\(cause)"
        case .spoolUnavailable(let directory, let reason):
            return "cannot spool to \(directory), records are kept in memory only: \(reason)"
        case .spoolAvailable(let directory):
            return "spooling to \(directory) again"
        case .spoolFailed(let directory, let reason):
            return "trouble with the spool in \(directory): \(reason)"
        case .spoolSyncSlow(let directory, let took, let interval):
            guard took > interval else {
                return "syncing \(directory) had not ended after \(Self.text(took)), when the shutdown did"
            }
            return "syncing \(directory) took \(Self.text(took)), longer than the interval of \(Self.text(interval))"
        case .spoolDamaged(let file, let reason):
            return "spool file set aside as \(file): \(reason)"
        case .spoolRecovered(let directory, let records, let files):
            return "took over \(records) records of earlier processes from \(files) files in \(directory)"
        case .spoolLeft(let path, let records, let files, let reason, let suggestion):
            let amount = records.map { "\($0) \($0 == 1 ? "record" : "records")" } ?? "records that cannot be counted"
            let place = files > 0 ? " in \(files) \(files == 1 ? "file" : "files")" : ""
            return "left in \(path): \(amount)\(place), \(reason); \(suggestion)"
        case .settingsInForce(let summary):
            return "settings in force: \(summary)"
        case .settingsRefused(let reason):
            return "settings refused, those before stay in force: \(reason)"
        case .credentialsUnavailable(let reason):
            return "cannot renew what requests are signed with: \(reason)"
        case .shutdownFinished(let report):
            return "shutdown: \(report)"
        }
    }

    /// Diagnostics with the same key are limited together; `nil` for those that are not.
    var rateKey: String? {
        switch self {
        case .requestFailed(_, let outcome, _, _): "request.\(outcome.rawValue)"
        case .recordsDropped(_, let reason, _, _): "drop.\(reason.rawValue)"
        case .recordRefused(_, let reason, _, _): "refused.\(reason.rawValue)"
        // The last of these is to be what holds; they are a second apart at the least.
        case .spoolUnavailable, .spoolAvailable: nil
        case .spoolFailed: "spool.trouble"
        case .spoolSyncSlow: "spool.slow"
        case .spoolDamaged: "spool.damaged"
        case .spoolRecovered: "spool.recovered"
        // Each is told once: none may be left out for another one.
        case .spoolLeft(let path, _, _, let reason, _): "spool.left.\(reason).\(path)"
        // Whoever writes a setting learns whether it is in force, and writes no more often than somebody looks.
        case .settingsInForce, .settingsRefused: nil
        case .credentialsUnavailable: "credentials"
        case .shutdownFinished: "shutdown"
        }
    }

    private static func hint(for outcome: RequestOutcome, _ failure: Failure) -> String {
        switch outcome {
        case .unauthorized:
            switch failure {
            case .service(let error) where error.isCredentialsError:
                "; are the credentials right, valid still, and for the region that is configured?"
            case .service(let error) where error.isPermissionError:
                "; does a policy of RAM allow them log:PostLogStoreLogs on this logstore?"
            default:
                "; is web tracking switched on for this logstore, and does the project's policy allow it? A change takes a minute"
            }
        case .notFound: "; are project, logstore and endpoint of the same region, and spelled right?"
        case .throttled: "; a write quota is exceeded: split shards or log less"
        default: ""
        }
    }

    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration.wholeNanoseconds / 1_000_000
        return milliseconds < 10_000 ? "\(milliseconds) ms" : "\(milliseconds / 1000) s"
    }
}
