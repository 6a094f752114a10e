// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

#if SwiftLog
import Logging
#endif

/// The settings that can be changed at run time, as a program and a configuration want them together.
///
/// Rules of the configuration come before those that the program has set, so that an operator has the last word.
struct RuntimeSettings: Sendable, Equatable {
    var logLevelOverrides: [String: LogLevel]
    var redaction: Redaction
    var sampling: Sampling

    /// What the program has set, without what a configuration said when the program read it.
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

    /// What is in force in a program that made its producer from `configuration`, once a configuration that it follows says
    /// `configured`. Of what that does not say, `start` stays as it was.
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
        let all = configured.filled(from: start)
        self.redaction = own.redaction
        if all.hasStandardRules == false, let range = self.redaction.standardRules {
            self.redaction.rules.removeSubrange(range)
        }
        self.redaction.rules.insert(contentsOf: all.allRules, at: 0)
        self.redaction.pseudonymKey = all.pseudonymKey ?? self.redaction.pseudonymKey
        try self.redaction.validate()
        try self.sampling.validate()
    }
}

extension Redaction {
    /// Where the standard rules are, together and in their order; a rule of the program's own may be equal to one of them.
    fileprivate var standardRules: Range<Int>? {
        let standard = Redaction.standard.rules
        return self.rules.indices.lazy
            .map { $0..<($0 + standard.count) }
            .last { $0.upperBound <= self.rules.count && self.rules[$0].elementsEqual(standard) }
    }
}

#endif
