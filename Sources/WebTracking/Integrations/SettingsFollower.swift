// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

public import Configuration

#if SwiftLog
import Logging
#endif

extension WebTrackingProducer {
    /// Changes log levels, redaction and sampling whenever the configuration does; runs until the task is cancelled, or the
    /// configuration has no more to say.
    ///
    /// Reads the keys `logLevels`, `redaction.…` and `sampling.…` of ``WebTrackingConfiguration/init(config:)`` from each
    /// snapshot, scoped as there. A key that a snapshot has outranks what the producer started with. One that no snapshot has
    /// had so far stays as it was when the producer's ``configuration`` was read, from whatever other source; one that is no
    /// longer there is as the program has set it. What is changed in between through the producer's own methods stays only
    /// until the next change of the configuration. A snapshot that cannot work is told as
    /// ``ProducerDiagnostic/settingsRefused(reason:)``, and changes nothing. Other keys are read at a start only: one that is
    /// not as it was then is named in ``ProducerDiagnostic/settingsInForce(summary:)``.
    ///
    /// ```swift
    /// let provider = try await ReloadingFileProvider<JSONSnapshot>(filePath: "logging.json", pollInterval: .seconds(1))
    /// try await producer.follow(ConfigReader(provider: provider))
    /// ```
    public func follow(_ config: ConfigReader) async throws {
        try await config.watchSnapshot { updates in
            var follower = SettingsFollower(self.configuration, isPatient: false)
            for await snapshot in updates { self.perform(follower.look(at: snapshot)) }
        }
    }

    /// Changes log levels, redaction and sampling whenever the file does; runs until the task is cancelled.
    ///
    /// As ``follow(_:)``, for a file of which every key is looked at: a key that does not exist, a value of another shape, a file
    /// that is no JSON or is gone is told as ``ProducerDiagnostic/settingsRefused(reason:)`` once it was so at two looks, and
    /// changes nothing.
    ///
    /// - Parameters:
    ///   - file: The file, whose directory may be one that Kubernetes mounts.
    ///   - interval: How often to look at it.
    public func follow(file: WebTrackingSettingsFile, every interval: Duration = .seconds(1)) async {
        var follower = SettingsFollower(self.configuration)
        while !Task.isCancelled {
            self.perform(follower.look(at: file))
            do { try await self.clock.sleep(until: self.clock.now() + interval) } catch { return }
        }
    }

    private func perform(_ action: SettingsFollower.Action) {
        switch action {
        case .none: break
        case .apply(let settings, let waiting, let isTold): self.apply(settings, waiting: waiting, tellsAnyway: isTold)
        case .refuse(let reason): self.report(.settingsRefused(reason: reason))
        }
    }
}

/// What is done about each look at a configuration that is followed.
struct SettingsFollower {
    enum Action {
        case none
        /// Puts settings in force.
        ///
        /// - Parameters:
        ///   - waiting: The keys of which the values are not, until the next start.
        ///   - isTold: Whether it is told anyway: it was told of those before that they are not, or others wait now.
        case apply(RuntimeSettings, waiting: [String], isTold: Bool)
        case refuse(reason: String)
    }

    private enum Outcome: Equatable {
        case settings(RuntimeSettings, waiting: [String: String])
        case refused(String)
    }

    private let configuration: WebTrackingConfiguration
    /// Whether what cannot work is told at the second look only: a file may be half written at the first.
    private let isPatient: Bool
    /// What was said at the start and not since.
    private var start: ConfiguredSettings
    private var last: Outcome?
    /// What was told last of settings that are refused, since some were put in force.
    private var reported: String?
    /// What the file had in it, and what is wrong with that as a whole.
    private var contents: [WebTrackingSettingsFile.Contents]?
    private var failure: (any Error)?
    /// What is read at a start only and is not in force, by key, and what was told last of that.
    private var waiting: [String: String] = [:]
    private var reportedWaiting: [String: String] = [:]

    init(_ configuration: WebTrackingConfiguration, isPatient: Bool = true) {
        self.configuration = configuration
        self.isPatient = isPatient
        self.start = configuration.readSettings.configured
    }

    /// Reads a file, and says what to do.
    mutating func look(at file: WebTrackingSettingsFile) -> Action {
        self.look { follower in
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

    /// Reads a snapshot, and says what to do.
    mutating func look(at snapshot: ConfigSnapshotReader) -> Action {
        self.look { follower in
            let config = SettingsReader([.config(snapshot)])
            try config.refuseStrays(SettingsVariables.process)
            // What is read at a start only may be another program's here, and is no reason to refuse the rest.
            follower.waiting = (try? follower.changesAtStart(SettingsReader([.config(snapshot)]))) ?? [:]
            return config
        }
    }

    /// Throws for whatever a start with these settings would throw for, also among those that are read only then; of these,
    /// says which are not in force.
    private func checkAll(_ layers: [SettingsReader.Layer]) throws -> [String: String] {
        let config = SettingsReader(layers)
        try config.refuseStrays(SettingsVariables.process)
        return try self.changesAtStart(config)
    }

    /// The values that would be others after a start, by key.
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
        // In clear: another secret is another value. It is kept here and told nowhere.
        let values = zip(self.configuration.entries { $0 }, next.entries { $0 })
        for ((now, shown), (own, new)) in zip(zip(self.configuration.entries, next.entries), values) {
            let key = own.key
            guard key != "logLevels", !key.hasPrefix("redaction."), !key.hasPrefix("sampling.") else { continue }
            let start = self.configuration.readSettings.origins[key]
            if config.audit.origins[key] != nil {
                // What the program has changed since it was read is meant to be another than what was read.
                let isOld = start.map { $0.value != now.value && $0.value == shown.value } ?? false
                if !isOld, new.value != own.value { waiting[key] = new.value }
            } else if let start, origins.contains(start.origin) {
                waiting[key] = ""
            }
        }
        return waiting
    }

    private mutating func look(_ read: (inout SettingsFollower) throws -> SettingsReader) -> Action {
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
            guard isNew || !self.isPatient else { return .none }
            self.start = rest
            let isTold = self.reported != nil || waiting != self.reportedWaiting
            self.reported = nil
            self.reportedWaiting = waiting
            return .apply(settings, waiting: waiting.keys.sorted(), isTold: isTold)
        case .refused(let reason):
            guard self.reported != reason, !isNew || !self.isPatient else { return .none }
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
