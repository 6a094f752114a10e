// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

/// One line of `doctor`.
struct DoctorRow: Equatable, Encodable {
    var check: String
    var state: SetupCheck.State
    var finding: String
    var suggestion: String?

    init(_ check: String, _ state: SetupCheck.State, _ finding: String, suggestion: String? = nil) {
        self.check = check
        self.state = state
        self.finding = TerminalText.escapedControls(finding)
        self.suggestion = suggestion.map { TerminalText.escapedControls($0) }
    }

    init(_ check: SetupCheck) {
        self.init(check.subject.rawValue, check.state, check.finding, suggestion: check.suggestion)
    }

    /// Settings that are missing or refused.
    init(aboutSettings error: any Error) {
        self.init(SetupCheck(refused: error))
        guard let error = error as? DoctorOptions.MissingSetting else { return }
        self.finding = "\(error.name): it must be set"
        self.suggestion = "--\(error.name) …, or export \(error.variable)=…"
    }

    /// Whether no record arrives while it fails.
    var isOnTheWay: Bool {
        switch SetupCheck.Subject(rawValue: self.check) {
        case .settings, .openFiles, .name, .connection, .tls, .answer, .logstore, .access: true
        default: false
        }
    }

    /// The row once a record has arrived: a request without records need not tell of logstore and access.
    var toldByARecord: DoctorRow {
        guard self.state == .skipped, ["logstore", "access"].contains(self.check) else { return self }
        return DoctorRow(self.check, .ok, "a record has arrived")
    }

    private var word: String {
        switch self.state {
        case .ok: "ok  "
        case .warning: "warn"
        case .failed: "FAIL"
        case .skipped: "skip"
        }
    }

    /// The line, with so many characters for the name of the check.
    func line(width: Int) -> String {
        let padding = String(repeating: " ", count: max(width - self.check.count, 0))
        return "\(self.word)  \(self.check)\(padding)  \(self.finding)" + (self.suggestion.map { "; \($0)" } ?? "")
    }

    private enum CodingKeys: String, CodingKey { case check, state, finding, suggestion }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.check, forKey: .check)
        try container.encode(self.state.rawValue, forKey: .state)
        try container.encode(self.finding, forKey: .finding)
        try container.encodeIfPresent(self.suggestion, forKey: .suggestion)
    }
}
