// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

#if SwiftLog
import Logging
#endif

/// What a configuration says of the settings that are also changed at run time; `nil` for what it does not say.
struct ConfiguredSettings: Sendable {
    var logLevels: [String: LogLevel]?
    var hasStandardRules: Bool?
    var rules: [Redaction.Action: [RedactionRule]] = [:]
    var pseudonymKey: PseudonymKey?
    var rates: [LogLevel: Sampling.Rate]?
    var suppressedRepeats: Set<LogLevel>?

    /// The lists of rules, in the order in which they come.
    static let lists: [(key: String, action: Redaction.Action)] = [
        ("keep", .keep), ("drop", .drop), ("pseudonym", .pseudonym), ("mask", .mask),
    ]

    init() {}

    /// All rules, in the order in which they come.
    var allRules: [RedactionRule] { Self.lists.flatMap { self.rules[$0.action] ?? [] } }

    /// Says what another one says as well where this one says nothing.
    func filled(from other: ConfiguredSettings) -> ConfiguredSettings {
        var result = self
        result.logLevels = self.logLevels ?? other.logLevels
        result.hasStandardRules = self.hasStandardRules ?? other.hasStandardRules
        result.rules = self.rules.merging(other.rules) { own, _ in own }
        result.pseudonymKey = self.pseudonymKey ?? other.pseudonymKey
        result.rates = self.rates ?? other.rates
        result.suppressedRepeats = self.suppressedRepeats ?? other.suppressedRepeats
        return result
    }

    /// No longer says what another one says something about.
    mutating func subtract(_ other: ConfiguredSettings) {
        if other.logLevels != nil { self.logLevels = nil }
        if other.hasStandardRules != nil { self.hasStandardRules = nil }
        for action in other.rules.keys { self.rules[action] = nil }
        if other.pseudonymKey != nil { self.pseudonymKey = nil }
        if other.rates != nil { self.rates = nil }
        if other.suppressedRepeats != nil { self.suppressedRepeats = nil }
    }
}

/// What a configuration said when it was read; makes no two configurations different.
struct ReadSettings: Sendable, Equatable {
    var configured = ConfiguredSettings()
    /// Where a value came from, by key, and how it was written out then.
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
