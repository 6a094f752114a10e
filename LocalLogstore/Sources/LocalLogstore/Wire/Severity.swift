// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// How serious a log is, by what its field `level` says.
public enum Severity: Int, Sendable, CaseIterable {
    /// It says nothing, or something unknown.
    case none
    case trace
    case debug
    case info
    case notice
    case warning
    case error
    case critical

    public var name: String { String(describing: self) }

    /// From a level in any case, under swift-log's name or another common one.
    init(level: String) {
        switch level.lowercased() {
        case "trace", "verbose", "finest": self = .trace
        case "debug", "fine": self = .debug
        case "info", "information", "informational": self = .info
        case "notice": self = .notice
        case "warning", "warn": self = .warning
        case "error", "err", "severe": self = .error
        case "critical", "fatal", "crit", "alert", "emergency", "emerg", "panic": self = .critical
        default: self = .none
        }
    }
}
