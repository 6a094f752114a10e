//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if Configuration

public import Configuration

#if SwiftLog
import Logging
#endif

/// What a configuration can say that is also changed at run time.
///
/// Rules of the configuration come before those that the program has set, so that an operator has the last word.
struct LiveSettings: Sendable, Equatable {
    var logLevelOverrides: [String: LogLevel]
    var redaction: Redaction
    var sampling: Sampling

    /// What the program has set, without what a configuration said when the program read it.
    init(setBy configuration: WebTrackingConfiguration) {
        let read = configuration.readSettings.value
        let defaults = WebTrackingConfiguration(endpoint: "", project: "", logstore: "")
        func own<Value: Equatable>(
            _ setting: KeyPath<WebTrackingConfiguration, Value>,
            _ readSetting: KeyPath<LiveSettings, Value>
        ) -> Value {
            let value = configuration[keyPath: setting]
            return read?[keyPath: readSetting] == value ? defaults[keyPath: setting] : value
        }
        self.logLevelOverrides = own(\.logLevelOverrides, \.logLevelOverrides)
        self.redaction = own(\.redaction, \.redaction)
        self.sampling = own(\.sampling, \.sampling)
    }

    /// Reads the settings; what is not set stays as it is in `base`.
    init(_ config: ConfigSnapshotReader, over base: LiveSettings) throws {
        self.logLevelOverrides = try Self.levels(config) ?? base.logLevelOverrides
        self.redaction = try Self.redaction(config.scoped(to: "redaction"), over: base.redaction)
        self.sampling = try Self.sampling(config.scoped(to: "sampling"), over: base.sampling)
    }

    private static func levels(_ config: ConfigSnapshotReader) throws -> [String: LogLevel]? {
        guard let entries = config.stringArray(forKey: "logLevels") else { return nil }
        var levels: [String: LogLevel] = [:]
        for entry in entries where !entry.isEmpty {
            guard let equals = entry.lastIndex(of: "=") else {
                throw WebTrackingConfiguration.error("logLevels", entry, "a level is written label=level")
            }
            levels[String(entry[..<equals])] = try WebTrackingConfiguration.level(
                String(entry[entry.index(after: equals)...]),
                key: "logLevels"
            )
        }
        return levels
    }

    private static func redaction(_ config: ConfigSnapshotReader, over base: Redaction) throws -> Redaction {
        var redaction = base
        if config.bool(forKey: "standard") == false {
            redaction.rules.removeAll { Redaction.standard.rules.contains($0) }
        }
        let lists: [(ConfigKey, Redaction.Action)] = [
            ("keep", .keep), ("drop", .drop), ("pseudonym", .pseudonym), ("mask", .mask),
        ]
        var rules: [RedactionRule] = []
        for (key, action) in lists {
            for name in config.stringArray(forKey: key) ?? [] where !name.isEmpty {
                rules.append(name.hasPrefix("*") ? .suffix(String(name.dropFirst()), action) : .key(name, action))
            }
        }
        redaction.rules.insert(contentsOf: rules, at: 0)
        if let digits = config.string(forKey: "pseudonymKey", isSecret: true) {
            guard let key = PseudonymKey(hexadecimal: digits) else {
                throw WebTrackingConfiguration.error(
                    "redaction.pseudonymKey",
                    Redactor.masked,
                    "the key has 32 hexadecimal digits"
                )
            }
            redaction.pseudonymKey = key
        }
        try redaction.validate()
        return redaction
    }

    private static func sampling(_ config: ConfigSnapshotReader, over base: Sampling) throws -> Sampling {
        var sampling = base
        func level(_ key: ConfigKey, _ name: String) throws -> LogLevel? {
            try config.string(forKey: key).map { try WebTrackingConfiguration.level($0, key: "sampling.\(name)") }
        }
        if let first = try WebTrackingConfiguration.number("first", of: config, in: "sampling.") {
            let oneIn = try WebTrackingConfiguration.number("thenOneIn", of: config, in: "sampling.")
            sampling.rates = Sampling.Rate.below(
                try level("below", "below") ?? .error,
                Sampling.Rate(first: first, thenOneIn: oneIn)
            )
        }
        if let text = config.string(forKey: "foldBelow") {
            let limit = text == "none" ? nil : try level("foldBelow", "foldBelow")
            sampling.foldedLevels = Set(LogLevel.ranked.filter { level in limit.map { level < $0 } ?? false })
        }
        try sampling.validate()
        return sampling
    }
}

/// What a configuration said when it was read; makes no two configurations different.
struct ReadSettings: Sendable, Equatable {
    var value: LiveSettings?

    static func == (left: ReadSettings, right: ReadSettings) -> Bool { true }
}

extension WebTrackingConfiguration {
    mutating func readLiveSettings(_ config: ConfigSnapshotReader) throws {
        let settings = try LiveSettings(config, over: LiveSettings(setBy: self))
        self.logLevelOverrides = settings.logLevelOverrides
        self.redaction = settings.redaction
        self.sampling = settings.sampling
        self.readSettings.value = settings
    }
}

extension WebTrackingProducer {
    /// Changes log levels, redaction and sampling whenever the configuration does; runs until the task is cancelled, or the
    /// configuration has no more to say.
    ///
    /// Reads the keys `logLevels`, `redaction.…` and `sampling.…` of ``WebTrackingConfiguration/init(config:)`` from each
    /// snapshot, scoped as there. What is not set, or no longer, is as the program has set it in ``configuration``. Other keys
    /// have no effect, and what is changed in between through the producer's own methods stays only until the next change of
    /// the configuration. A snapshot that cannot work is told as ``ProducerDiagnostic/settingsRefused(reason:)``, and changes
    /// nothing.
    ///
    /// ```swift
    /// let provider = try await ReloadingFileProvider<JSONSnapshot>(filePath: "logging.json", pollInterval: .seconds(1))
    /// try await producer.follow(ConfigReader(provider: provider))
    /// ```
    public func follow(_ config: ConfigReader) async throws {
        try await config.watchSnapshot { updates in
            for await snapshot in updates { self.apply(snapshot) }
        }
    }

    private func apply(_ snapshot: ConfigSnapshotReader) {
        do {
            let settings = try LiveSettings(snapshot, over: LiveSettings(setBy: self.configuration))
            self.logLevelOverrides = settings.logLevelOverrides
            try self.setRedaction(settings.redaction)
            try self.setSampling(settings.sampling)
        } catch {
            self.tell(.settingsRefused(reason: "\(error)"))
        }
    }
}

#if ServiceLifecycle

public import ServiceLifecycle

/// A service that follows a configuration until the group shuts down.
public struct WebTrackingSettingsService: Service {
    private let producer: WebTrackingProducer
    private let config: ConfigReader

    /// Creates the service; see ``WebTrackingProducer/follow(_:)``.
    public init(producer: WebTrackingProducer, config: ConfigReader) {
        self.producer = producer
        self.config = config
    }

    /// Follows the configuration until the group shuts down.
    public func run() async throws {
        try await cancelWhenGracefulShutdown { try await self.producer.follow(self.config) }
    }
}

#endif

#endif
