// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

#if SwiftLog
import Logging
#endif

/// Reads the settings that are also changed at run time.
extension ConfiguredSettings {
    init(_ config: SettingsReader) throws {
        self.logLevels = try Self.levels(config)
        try self.readRedaction(config.scoped(to: "redaction"))
        try self.readSampling(config.scoped(to: "sampling"))
    }

    private static func levels(_ config: SettingsReader) throws -> [String: LogLevel]? {
        let entries = try config.pairs("logLevels", rule: "a level is written label=level") { $0.lastIndex(of: "=") }
        guard let entries else { return nil }
        var levels: [String: LogLevel] = [:]
        for (label, text) in entries {
            guard levels.updateValue(try config.level(text, of: "logLevels"), forKey: label) == nil else {
                throw config.error(
                    "logLevels",
                    label,
                    "a label may have one level only"
                )
            }
        }
        return levels
    }

    private mutating func readRedaction(_ config: SettingsReader) throws {
        self.hasStandardRules = try config.flag("standard")
        for (key, action) in Self.lists {
            self.rules[action] = try config.texts(key).map { names in
                try names.map { name in
                    let ending = name.hasPrefix("*") ? String(name.dropFirst()) : name
                    // No key has one, so the rule would have no effect.
                    guard !ending.contains("*") else {
                        throw config.error(key, name, "a * stands only in front, for keys that end so")
                    }
                    return ending == name ? .key(name, action) : .suffix(ending, action)
                }
            }
        }
        if let digits = try config.text("pseudonymKey", isSecret: true) {
            guard let key = PseudonymKey(hexadecimal: digits) else {
                throw config.error("pseudonymKey", Redaction.masked, "the key has 32 hexadecimal digits")
            }
            self.pseudonymKey = key
        }
    }

    private mutating func readSampling(_ config: SettingsReader) throws {
        if let first = try config.number("first") {
            let rate = Sampling.Rate(first: first, thenOneIn: try config.number("thenOneIn"))
            self.rates = Sampling.Rate.below(try config.level("below") ?? .error, rate)
        } else {
            let rule = "it changes a rate, so sampling.first has to be set as well"
            try config.refuse("thenOneIn", rule: rule, form: .number)
            try config.refuse("below", rule: rule, form: .text)
        }
        if let text = try config.text("suppressRepeatsBelow") {
            let limit = text == "none" ? nil : try config.level(text, of: "suppressRepeatsBelow")
            self.suppressedRepeats = Set(LogLevel.ranked.filter { level in limit.map { level < $0 } ?? false })
        }
    }
}

extension WebTrackingConfiguration {
    mutating func readLiveSettings(_ config: SettingsReader) throws {
        let configured = try ConfiguredSettings(config)
        let settings = try RuntimeSettings(configured, over: self)
        self.logLevelOverrides = settings.logLevelOverrides
        self.redaction = settings.redaction
        self.sampling = settings.sampling
        self.readSettings.configured = configured
    }
}

#endif
