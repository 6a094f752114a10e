// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

public import Configuration

#if SwiftLog
import Logging
#endif

extension WebTrackingProducer {
    /// Changes log levels, redaction and sampling whenever the configuration changes. Runs until the task is cancelled,
    /// or until the configuration ends.
    ///
    /// Reads the keys `logLevels`, `redaction.…` and `sampling.…` of ``WebTrackingConfiguration/init(config:)`` from
    /// each snapshot, in the same scope. A key in a snapshot outranks what the producer started with. A key that was in
    /// no snapshot so far keeps the value that the producer's ``configuration`` has, from any source. A key that is
    /// gone falls back to what the program has set. A change through the producer's own methods lasts until the next
    /// change of the configuration.
    ///
    /// A snapshot that cannot work changes nothing, and is reported as ``ProducerDiagnostic/settingsRefused(reason:)``.
    /// All other keys take effect at a start only. If one of them has changed,
    /// ``ProducerDiagnostic/settingsInForce(summary:)`` names it.
    ///
    /// ```swift
    /// let provider = try await ReloadingFileProvider<JSONSnapshot>(filePath: "logging.json", pollInterval: .seconds(1))
    /// try await producer.follow(ConfigReader(provider: provider))
    /// ```
    public func follow(_ config: ConfigReader) async throws {
        try await config.watchSnapshot { updates in
            var follower = SettingsFollower(self.configuration, needsConfirmation: false)
            for await snapshot in updates { self.perform(follower.check(snapshot)) }
        }
    }

    /// Changes log levels, redaction and sampling whenever the file changes. Runs until the task is cancelled.
    ///
    /// Works as ``follow(_:)``, but checks every key of the file. An unknown key, a value of the wrong type, a file
    /// that is not JSON, or a missing file changes nothing. It is reported as
    /// ``ProducerDiagnostic/settingsRefused(reason:)`` if two checks in a row find it.
    ///
    /// - Parameters:
    ///   - file: The file. Its directory may be a Kubernetes mount.
    ///   - interval: The time between two checks.
    public func follow(file: WebTrackingSettingsFile, every interval: Duration = .seconds(1)) async {
        var follower = SettingsFollower(self.configuration)
        while !Task.isCancelled {
            self.perform(follower.check(file))
            do { try await self.clock.sleep(until: self.clock.now() + interval) } catch { return }
        }
    }

    private func perform(_ action: SettingsFollower.Action) {
        switch action {
        case .none: break
        case .apply(let settings, let waiting, let mustReport):
            self.apply(settings, waiting: waiting, reportsAnyway: mustReport)
        case .refuse(let reason): self.report(.settingsRefused(reason: reason))
        }
    }
}

/// Decides what to do after each check of a configuration that is followed.
struct SettingsFollower {
    enum Action {
        case none
        /// Puts settings in force.
        ///
        /// - Parameters:
        ///   - waiting: The keys with new values that need a restart.
        ///   - mustReport: Whether to report the settings even if they are the same: before, they were refused, or
        ///     another list of waiting keys was reported.
        case apply(RuntimeSettings, waiting: [String], mustReport: Bool)
        case refuse(reason: String)
    }

    private enum Outcome: Equatable {
        case settings(RuntimeSettings, waiting: [String: String])
        case refused(String)
    }

    private let configuration: WebTrackingConfiguration
    /// Whether an outcome has to be the same at two checks in a row: at the first one, a file may be half written.
    private let needsConfirmation: Bool
    /// What the configuration said at the start, without the keys that a later one has said.
    private var start: ConfiguredSettings
    private var last: Outcome?
    /// The refusal that was reported last; `nil` once settings are in force again.
    private var reported: String?
    /// The contents of the file at the last check, and the error that they gave as a whole.
    private var contents: [WebTrackingSettingsFile.Contents]?
    private var failure: (any Error)?
    /// The settings that need a restart, by key, and those that were reported last.
    private var waiting: [String: String] = [:]
    private var reportedWaiting: [String: String] = [:]

    init(_ configuration: WebTrackingConfiguration, needsConfirmation: Bool = true) {
        self.configuration = configuration
        self.needsConfirmation = needsConfirmation
        self.start = configuration.readSettings.configured
    }

    /// Reads a file, and decides what to do.
    mutating func check(_ file: WebTrackingSettingsFile) -> Action {
        self.decide { follower in
            let contents = try file.contents()
            let layers = try file.layers(of: contents)
            if contents != follower.contents {
                follower.contents = contents
                follower.failure = nil
                do { follower.waiting = try follower.checkAll(layers) } catch { follower.failure = error }
            }
            if let failure = follower.failure { throw failure }
            return SettingsReader(layers)
        }
    }

    /// Reads a snapshot, and decides what to do.
    mutating func check(_ snapshot: ConfigSnapshotReader) -> Action {
        self.decide { follower in
            let config = SettingsReader([.config(snapshot)])
            try config.refuseMisspelt(SettingsVariables.process)
            // Here, keys that are read at a start only may belong to another program. They are no reason to refuse the
            // rest.
            follower.waiting = (try? follower.changesAtStart(SettingsReader([.config(snapshot)]))) ?? [:]
            return config
        }
    }

    /// Throws every error that a start with these settings would throw. Returns the settings that need a restart.
    private func checkAll(_ layers: [SettingsReader.Layer]) throws -> [String: String] {
        let config = SettingsReader(layers)
        try config.refuseMisspelt(SettingsVariables.process)
        return try self.changesAtStart(config)
    }

    /// The values that would be different after a restart, by key.
    private func changesAtStart(_ config: SettingsReader) throws -> [String: String] {
        var next = self.configuration
        next.tags = [:]
        next.endpoint = try config.text("endpoint") ?? next.endpoint
        next.project = try config.text("project") ?? next.project
        next.logstore = try config.text("logstore") ?? next.logstore
        try next.read(config)
        try next.validate()
        let origins = Set(config.layers.compactMap { if case .tree(let tree) = $0 { tree.origin } else { nil } })
        var waiting: [String: String] = [:]
        // With the secrets in clear: only so is a new secret a new value. They stay in here, and are never reported.
        let values = zip(self.configuration.entries { $0 }, next.entries { $0 })
        for ((now, shown), (own, new)) in zip(zip(self.configuration.entries, next.entries), values) {
            let key = own.key
            guard key != "logLevels", !key.hasPrefix("redaction."), !key.hasPrefix("sampling.") else { continue }
            let start = self.configuration.readSettings.origins[key]
            if config.audit.origins[key] != nil {
                // If the program has changed a value since it was read, and the file still has the old one, nothing is
                // new.
                let isOld = start.map { $0.value != now.value && $0.value == shown.value } ?? false
                if !isOld, new.value != own.value { waiting[key] = new.value }
            } else if let start, origins.contains(start.origin) {
                waiting[key] = ""
            }
        }
        return waiting
    }

    private mutating func decide(_ read: (inout SettingsFollower) throws -> SettingsReader) -> Action {
        var rest = self.start
        let outcome: Outcome
        do {
            let configured = try ConfiguredSettings(read(&self))
            rest.subtract(configured)
            let settings = try RuntimeSettings(configured, start: rest, over: self.configuration)
            outcome = .settings(settings, waiting: self.waiting)
        } catch {
            outcome = .refused("\(error)")
        }
        let isNew = outcome != self.last
        self.last = outcome
        switch outcome {
        case .settings(let settings, let waiting):
            guard isNew || !self.needsConfirmation else { return .none }
            self.start = rest
            let mustReport = self.reported != nil || waiting != self.reportedWaiting
            self.reported = nil
            self.reportedWaiting = waiting
            return .apply(settings, waiting: waiting.keys.sorted(), mustReport: mustReport)
        case .refused(let reason):
            guard self.reported != reason, !isNew || !self.needsConfirmation else { return .none }
            self.reported = reason
            return .refuse(reason: reason)
        }
    }
}

#if ServiceLifecycle

public import ServiceLifecycle

/// A service that follows a configuration until the group shuts down.
public struct WebTrackingSettingsService: Service {
    private let follow: @Sendable () async throws -> Void

    /// Creates the service; see ``WebTrackingProducer/follow(_:)``.
    public init(producer: WebTrackingProducer, config: ConfigReader) {
        self.follow = { try await producer.follow(config) }
    }

    /// Creates the service; see ``WebTrackingProducer/follow(file:every:)``.
    public init(producer: WebTrackingProducer, file: WebTrackingSettingsFile, every interval: Duration = .seconds(1)) {
        self.follow = { await producer.follow(file: file, every: interval) }
    }

    /// Follows the configuration until the group shuts down.
    public func run() async throws {
        try await cancelWhenGracefulShutdown { try await self.follow() }
    }
}

#endif

#endif
