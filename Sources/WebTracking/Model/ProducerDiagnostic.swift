// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A report of a producer about itself. It never passes through swift-log.
///
/// By default, diagnostics become lines on standard error, at most one of a kind in ten seconds, except for those about
/// settings and about the availability of the spool (``DiagnosticHandler/standardError``).
public enum ProducerDiagnostic: Sendable {
    /// Why records were not delivered.
    public enum Failure: Sendable, CustomStringConvertible {
        /// The service refused the request, or a server between it and this machine answered.
        case service(ServiceError)
        /// No complete answer came.
        case noAnswer(String)
        /// The file with the records is gone, or was changed.
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

    /// A request failed. Its records are kept, and are sent again after the delay.
    case requestFailed(topic: String, outcome: RequestOutcome, failure: Failure, retryIn: Duration)
    /// Records were dropped.
    case recordsDropped(topic: String, reason: DropReason, count: Int, failure: Failure?)
    /// One record was dropped, as the service refused it even in a request of its own. Its content is not reported.
    case recordRefused(topic: String, reason: DropReason, record: RefusedRecord, failure: Failure?)
    /// No file can be made in the spool directory. New records are kept in memory only, and do not survive the process.
    /// The next attempt comes after a second, with the next record or the next delivery.
    case spoolUnavailable(directory: String, reason: String)
    /// Files can be made in the spool directory again.
    case spoolAvailable(directory: String)
    /// Something else failed in the spool, not the making of files for new records: syncing or opening a file or
    /// folder, the search for records of earlier processes, or moving a batch from memory to a file.
    case spoolFailed(directory: String, reason: String)
    /// With durability `.power`: a sync took longer than the interval, so a loss of power would lose more than one
    /// interval. Reported once until it is better. Also reported at the end of a shutdown, if the last sync had not
    /// ended in time.
    case spoolSyncSlow(directory: String, took: Duration, interval: Duration)
    /// A file in the spool directory is damaged, or holds a record that was refused in a rescue. Its other records are
    /// delivered, and the file is kept.
    case spoolDamaged(file: String, reason: String)
    /// Records of earlier processes were found in the spool directory, and are being delivered. Reported once for
    /// everything that one search has found, when the last of it is taken over.
    case spoolRecovered(directory: String, records: Int, files: Int)
    /// Records of dead processes stay in the spool directory, because this producer must not or cannot deliver them:
    /// they are for another logstore, in a newer format, or in a folder or file (`path`) that may not be used. Reported
    /// at each start, once for each reason, with a suggestion. `records` is `nil` if they cannot be counted.
    case spoolLeft(path: String, records: Int?, files: Int, reason: String, suggestion: String)
    /// Something around the program will cost records or memory: found at the producer's start, or by the service's first
    /// answers, and reported once.
    case environment(code: EnvironmentProblem, reason: String, suggestion: String)
    /// The levels, the redaction and the sampling that apply from now on, in one line. Reported when the producer is
    /// made, and when a followed configuration has changed them. At its end, the line names the keys that have changed
    /// but take effect only at a start.
    case settingsInForce(summary: String)
    /// A followed configuration has a setting that cannot work. The earlier settings stay in force.
    case settingsRefused(reason: String)
    /// With signed delivery: the provider gave no credentials. The current ones are used while they are valid. Without
    /// any, records wait.
    case credentialsUnavailable(reason: String)
    /// The shutdown has ended.
    case shutdownFinished(DeliveryReport)
}

extension ProducerDiagnostic: CustomStringConvertible {
    /// The diagnostic in one line, without control characters of topics and answers, which could mislead a terminal or
    /// a reader.
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
            return "failure in the spool in \(directory): \(reason)"
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
        case .environment(let code, let reason, let suggestion):
            return "\(reason); \(suggestion) [\(code.rawValue)]"
        case .settingsInForce(let summary):
            return "settings in force: \(summary)"
        case .settingsRefused(let reason):
            return "settings refused, the earlier ones stay in force: \(reason)"
        case .credentialsUnavailable(let reason):
            return "cannot renew the credentials for signing: \(reason)"
        case .shutdownFinished(let report):
            return "shutdown: \(report)"
        }
    }

    /// Diagnostics with the same key share a rate limit; `nil` if there is no limit.
    var rateKey: String? {
        switch self {
        case .requestFailed(_, let outcome, _, _): "request.\(outcome.rawValue)"
        case .recordsDropped(_, let reason, _, _): "drop.\(reason.rawValue)"
        case .recordRefused(_, let reason, _, _): "refused.\(reason.rawValue)"
        // Never limit these: the last line must show the current state. They are at least a second apart.
        case .spoolUnavailable, .spoolAvailable: nil
        case .spoolFailed: "spool.failed"
        case .spoolSyncSlow: "spool.slow"
        case .spoolDamaged: "spool.damaged"
        case .spoolRecovered: "spool.recovered"
        // Each of these is reported only once, so no other may suppress it.
        case .spoolLeft(let path, _, _, let reason, _): "spool.left.\(reason).\(path)"
        case .environment(let code, _, _): "environment.\(code.rawValue)"
        // Never limit these: a user who changes a setting wants to see whether it is in force. Such changes are rare.
        case .settingsInForce, .settingsRefused: nil
        case .credentialsUnavailable: "credentials"
        case .shutdownFinished: "shutdown"
        }
    }

    /// What to do about it, behind a semicolon; empty if the failure itself says all.
    static func hint(for outcome: RequestOutcome, _ failure: Failure) -> String {
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
        let milliseconds = duration.saturatedNanoseconds / 1_000_000
        return milliseconds < 10_000 ? "\(milliseconds) ms" : "\(milliseconds / 1000) s"
    }
}
