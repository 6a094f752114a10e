// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

#if SwiftLog
import Logging
#endif

/// The settings that can change at run time, combined from the program and a configuration.
///
/// Rules of the configuration come before rules of the program, so that the operator decides.
struct RuntimeSettings: Sendable, Equatable {
    var logLevelOverrides: [String: LogLevel]
    var redaction: Redaction
    var sampling: Sampling

    /// The program's own settings, without those that the program has read from a configuration.
    init(setBy configuration: WebTrackingConfiguration) {
        let read = configuration.readSettings.configured
        self.logLevelOverrides = configuration.logLevelOverrides.filter { read.logLevels?[$0.key] != $0.value }
        self.redaction = configuration.redaction
        for rule in read.allRules {
            if let index = self.redaction.rules.firstIndex(of: rule) { self.redaction.rules.remove(at: index) }
        }
        if read.hasStandardRules == false, self.redaction.standardRules == nil {
            self.redaction.rules += Redaction.standard.rules
        }
        if self.redaction.pseudonymKey == read.pseudonymKey { self.redaction.pseudonymKey = nil }
        self.sampling = configuration.sampling
        self.sampling.rates = self.sampling.rates.filter { read.rates?[$0.key] != $0.value }
        self.sampling.suppressedRepeats.subtract(read.suppressedRepeats ?? [])
    }

    /// The settings in force when a followed configuration says `configured`, for a producer that was made from
    /// `configuration`. Settings that it does not have, but that `start` has, keep their value.
    init(
        _ configured: ConfiguredSettings,
        start: ConfiguredSettings = ConfiguredSettings(),
        over configuration: WebTrackingConfiguration
    ) throws {
        let own = RuntimeSettings(setBy: configuration)
        self.logLevelOverrides =
            configured.logLevels
            ?? (start.logLevels == nil ? own.logLevelOverrides : configuration.logLevelOverrides)
        self.sampling = Sampling()
        self.sampling.rates =
            configured.rates ?? (start.rates == nil ? own.sampling.rates : configuration.sampling.rates)
        self.sampling.suppressedRepeats =
            configured.suppressedRepeats
            ?? (start.suppressedRepeats == nil
                ? own.sampling.suppressedRepeats : configuration.sampling.suppressedRepeats)
        var all = configured
        all.rules.merge(start.rules) { own, _ in own }
        self.redaction = own.redaction
        if (configured.hasStandardRules ?? start.hasStandardRules) == false, let range = self.redaction.standardRules {
            self.redaction.rules.removeSubrange(range)
        }
        self.redaction.rules.insert(contentsOf: all.allRules, at: 0)
        self.redaction.pseudonymKey = configured.pseudonymKey ?? start.pseudonymKey ?? self.redaction.pseudonymKey
        try self.redaction.validate()
        try self.sampling.validate()
    }
}

#endif
