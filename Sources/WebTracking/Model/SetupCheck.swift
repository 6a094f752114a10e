// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// One part of a set-up that ``WebTrackingProducer/check()`` has looked at: whether it works, and what to do if not.
public struct SetupCheck: Sendable, Equatable {
    /// What was looked at, in the order in which a record depends on it.
    public enum Subject: String, Sendable, CaseIterable {
        /// Whether the settings can work.
        case settings
        /// The files that the process may still open (`ulimit -n`).
        case openFiles = "open_files"
        /// The memory that control groups allow.
        case memory
        /// The host's addresses; with a proxy those of the proxy.
        case name
        /// A TCP connection there.
        case connection
        /// TLS with the host, and the certificate authorities for it.
        case tls
        /// An answer over HTTP that is the service's own.
        case answer
        /// This machine's clock beside the service's.
        case clock
        /// Whether project and logstore exist.
        case logstore
        /// Whether the service lets these settings write: web tracking, or the signature.
        case access
        /// Whether files can be made in the spool directory.
        case spool
        /// The kind of file system that the spool is on.
        case spoolFileSystem = "spool_file_system"
        /// The room for the spool.
        case spoolSpace = "spool_space"
        /// What dead processes left and a start would not take over. There is one for each reason.
        case spoolLeft = "spool_left"
    }

    /// Whether it works.
    public enum State: String, Sendable, CaseIterable {
        /// It works.
        case ok
        /// It works, and may cost records or memory later.
        case warning
        /// It does not work, or records are lost.
        case failed
        /// It was not looked at: it is not used, or something before it has failed.
        case skipped
    }

    /// What was looked at.
    public var subject: Subject
    /// Whether it works.
    public var state: State
    /// What was found, in one line.
    public var finding: String
    /// What to do about it: a command, if there is one; `nil` if nothing is to be done, or the finding says it.
    public var suggestion: String?

    /// Creates a check.
    public init(_ subject: Subject, _ state: State, _ finding: String, suggestion: String? = nil) {
        self.subject = subject
        self.state = state
        self.finding = finding.withoutControls
        self.suggestion = suggestion?.withoutControls
    }

    /// Creates a check that is skipped because another one has failed.
    init(_ subject: Subject, behind obstacle: Subject) {
        self.init(subject, .skipped, "not looked at: \(obstacle.rawValue) failed")
    }

    /// Creates the check of settings that are refused, or cannot be read, with this error.
    public init(refused error: any Error) {
        guard let error = error as? ConfigurationError else {
            self.init(.settings, .failed, "\(error)")
            return
        }
        let setting = "\(error.setting) \(error.value.debugDescription)"
        self.init(.settings, .failed, "\(setting): \(error.rule)", suggestion: error.suggestion)
    }
}

extension SetupCheck: CustomStringConvertible {
    /// The check in one line.
    public var description: String {
        "\(self.subject.rawValue) \(self.state.rawValue): \(self.finding)"
            + (self.suggestion.map { "; \($0)" } ?? "")
    }
}
