// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

#if SwiftLog
import Logging
#endif

/// The settings of a configuration that can also change at run time; `nil` for a setting that it does not have.
struct ConfiguredSettings: Sendable {
    var logLevels: [String: LogLevel]?
    var hasStandardRules: Bool?
    var rules: [Redaction.Action: [RedactionRule]] = [:]
    var pseudonymKey: PseudonymKey?
    var rates: [LogLevel: Sampling.Rate]?
    var suppressedRepeats: Set<LogLevel>?

    /// The lists of rules, in the order of their priority.
    static let lists: [(key: String, action: Redaction.Action)] = [
        ("keep", .keep), ("drop", .drop), ("pseudonym", .pseudonym), ("mask", .mask),
    ]

    init() {}

    /// All rules, in the order of their priority.
    var allRules: [RedactionRule] { Self.lists.flatMap { self.rules[$0.action] ?? [] } }

    /// Removes everything that another configuration has a setting for.
    mutating func subtract(_ other: ConfiguredSettings) {
        if other.logLevels != nil { self.logLevels = nil }
        if other.hasStandardRules != nil { self.hasStandardRules = nil }
        for action in other.rules.keys { self.rules[action] = nil }
        if other.pseudonymKey != nil { self.pseudonymKey = nil }
        if other.rates != nil { self.rates = nil }
        if other.suppressedRepeats != nil { self.suppressedRepeats = nil }
    }
}

/// What a configuration said when it was read. Two configurations that differ only in this are equal.
struct ReadSettings: Sendable, Equatable {
    var configured = ConfiguredSettings()
    /// The origin of each value by key, and its text at that time.
    private(set) var origins: [String: (origin: String, value: String)] = [:]

    mutating func remember(_ origins: [String: String], in configuration: WebTrackingConfiguration) {
        self.origins = [:]
        for (key, value) in configuration.entries {
            if let origin = origins[key] { self.origins[key] = (origin, value) }
        }
    }

    static func == (left: ReadSettings, right: ReadSettings) -> Bool { true }
}

#endif
