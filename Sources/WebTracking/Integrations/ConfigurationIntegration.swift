// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

public import Configuration

extension WebTrackingConfiguration {
    /// Reads a configuration. Keys that are not set keep their defaults.
    ///
    /// Throws ``ConfigurationError`` for a value that cannot work, and the reader's own error for a required key that
    /// is not set. Scope the reader to put the keys under a prefix: `config.scoped(to: "webtracking")`.
    ///
    /// ## Configuration keys
    /// A key is the name of a setting, after the name of its group and a dot. The key of a duration ends in `Seconds`,
    /// and its value is a double. All keys but the first three are optional, and have the default of their setting.
    ///
    /// - `endpoint`, `project`, `logstore` (string, required)
    /// - `allowsPlainHTTP` (bool)
    /// - `source` (string): an empty one is the host's name.
    /// - `tags` (string array): items `key=value`; in a file an object, too.
    /// - `topic` (string): `fixed:NAME`, `label`, `label-prefix:N`, or `metadata:KEY:FALLBACK`.
    /// - `promotedTags` (string array)
    /// - `maximumTopics`, `memoryLimit` (int)
    /// - `idleTopicTimeoutSeconds` (double)
    /// - `compression` (string): `lz4`, `deflate`, `deflate:LEVEL`, or `none`.
    /// - `logLevel` (string)
    /// - `logLevels` (string array): items `label=level`, the setting `logLevelOverrides`; in a file an object, too.
    /// - `redaction.standard` (bool): whether the standard rules are in force; by default true.
    /// - `redaction.keep`, `redaction.drop`, `redaction.pseudonym`, `redaction.mask` (string array): keys of metadata, or
    ///   with a `*` in front (only there) endings of keys; they come before all other rules, in this order.
    /// - `redaction.pseudonymKey` (string, **secret**): 32 hexadecimal digits.
    /// - `sampling.first`, `sampling.thenOneIn` (int): how many records of a statement and second are kept; 0 to 1,000,000,
    ///   at least 1.
    /// - `sampling.below` (string): the level from which on nothing is sampled; `error` by default.
    /// - `sampling.suppressRepeatsBelow` (string): repeats of a record are left out below this level; `none` by
    ///   default.
    /// - `batching.targetBytes`, `batching.maximumRequestBytes`, `batching.maximumRecords` (int)
    /// - `batching.lingerSeconds` (double)
    /// - `batching.urgentLevel` (string): a level, or `none`.
    /// - `delivery.maximumConcurrentRequests` (int)
    /// - `delivery.requestTimeoutSeconds`, `delivery.initialBackoffSeconds`, `delivery.maximumBackoffSeconds`,
    ///   `delivery.initialQuotaBackoffSeconds`, `delivery.maximumQuotaBackoffSeconds`,
    ///   `delivery.initialRefusalBackoffSeconds`, `delivery.maximumRefusalBackoffSeconds`,
    ///   `delivery.refusalPatienceSeconds`, `delivery.maximumAgeSeconds`, `delivery.shutdownTimeoutSeconds` (double)
    /// - `limits.maximumValueBytes`, `limits.maximumRecordBytes`, `limits.maximumNesting` (int)
    /// - `fields.time`, `fields.level`, `fields.label`, `fields.message`, `fields.source`, `fields.file`,
    ///   `fields.function`, `fields.line`, `fields.sequence`, `fields.errorType`, `fields.errorMessage` (string)
    /// - `fields.includesCodeLocation`, `fields.includesSequence`, `fields.includesBatchID` (bool)
    /// - `durability` (string): `memory`, `process`, or `power`. Without this key, the keys under `spool` are an error.
    ///   With `memory` they are ignored, so `WEBTRACKING_DURABILITY=memory` stops a spool that the file has.
    /// - `spool.directory` (string)
    /// - `spool.maximumBytes` (int)
    /// - `spool.maximumAgeSeconds` (double)
    /// - `spool.syncIntervalSeconds` (double): the interval of `power`, and an error without it; 0.5 by default.
    /// - `spool.permits` (string)
    /// - `spool.reportsUnexpectedExits` (bool)
    /// - `proxy.host`, `proxy.username` (string), `proxy.port` (int), `proxy.password` (string, **secret**): the HTTP proxy to
    ///   send through.
    /// - `proxy.fromEnvironment` (bool): whether `HTTPS_PROXY` and `NO_PROXY` are read; false by default.
    /// - `signing.region` (string): signs requests for that region; needs the trait `SignedPutLogs`.
    /// - `signing.accessKeyID` (string), `signing.accessKeySecret`, `signing.securityToken` (string, **secret**): an AccessKey
    ///   that does not change; by default that of the environment's `ALIBABA_CLOUD_ACCESS_KEY_ID` and so on, read each time.
    ///
    /// Levels, redaction and sampling can also be followed while the program runs: ``WebTrackingProducer/follow(_:)``.
    ///
    /// A reader cannot list its keys, so it is asked for likely mistakes: a value in place of a group, names that
    /// people write by mistake, and variables of the process that are almost a key. Only ``init(file:)`` finds every
    /// misspelt key, and every object in place of a list.
    public init(config reader: ConfigReader) throws {
        try self.init(layers: [.config(reader.snapshot())])
    }

    /// Reads a configuration from a file, and checks every key. The keys are those of ``init(config:)``; `tags` and
    /// `logLevels` may be objects.
    ///
    /// Throws ``ConfigurationError`` for a file that cannot be read, a key that does not exist (with the most similar
    /// one), a value of the wrong type, and a value that cannot work.
    public init(file: WebTrackingSettingsFile) throws {
        try self.init(layers: file.layers())
    }

    init(
        layers: [SettingsReader.Layer],
        environment: [String: String] = SettingsVariables.process
    ) throws {
        let config = SettingsReader(layers, environment: environment)
        try config.refuseMisspelt(environment)
        self.init(
            endpoint: try config.required("endpoint"),
            project: try config.required("project"),
            logstore: try config.required("logstore")
        )
        try self.read(config)
        try self.validate()
        self.readSettings.remember(config.audit.origins, in: self)
    }

    /// Reads all keys that are not required.
    mutating func read(_ config: SettingsReader) throws {
        try config.read("allowsPlainHTTP", into: &self.allowsPlainHTTP)
        self.source = try config.text("source", emptyIsNone: true)
        let tags = try config.pairs("tags", rule: "a tag is written key=value") { $0.firstIndex(of: "=") }
        for (name, value) in tags ?? [] {
            guard self.tags.updateValue(value, forKey: name) == nil else {
                throw config.error("tags", name, "a tag may have one value only")
            }
        }
        if let text = try config.text("topic") { self.topic = try Self.topic(text, config) }
        try config.read("promotedTags", into: &self.promotedTags)
        try config.read("maximumTopics", into: &self.maximumTopics)
        try config.read("idleTopicTimeoutSeconds", into: &self.idleTopicTimeout)
        if let text = try config.text("compression") { self.compression = try Self.compression(text, config) }
        try config.read("memoryLimit", into: &self.memoryLimit)
        self.logLevel = try config.level("logLevel") ?? self.logLevel
        try self.read(PlainSetting.batching, config)
        if let text = try config.text("batching.urgentLevel") {
            self.batching.urgentLevel = text == "none" ? nil : try config.level(text, of: "batching.urgentLevel")
        }
        try self.read(PlainSetting.delivery + PlainSetting.limits + PlainSetting.fields, config)
        try self.readDurability(config)
        try self.readProxy(config.scoped(to: "proxy"))
        try self.readSigning(config.scoped(to: "signing"))
        try self.readLiveSettings(config)
    }

    private mutating func read(_ settings: [PlainSetting.Named], _ config: SettingsReader) throws {
        for (key, setting) in settings {
            switch setting {
            case .number(let path, _): try config.read(key, into: &self[keyPath: path])
            case .seconds(let path, _): try config.read(key, into: &self[keyPath: path])
            case .text(let path): try config.read(key, into: &self[keyPath: path])
            case .flag(let path): try config.read(key, into: &self[keyPath: path])
            }
        }
    }

    private mutating func readDurability(_ config: SettingsReader) throws {
        if let text = try config.text("durability") {
            switch text {
            case "memory": self.durability = .memory
            case "process": self.durability = .process
            case "power": self.durability = .power()
            default: throw config.error("durability", text, "a durability is memory, process or power")
            }
        }
        let spool = config.scoped(to: "spool")
        // Read it in any case: a value that is not a number is always an error.
        let interval = try spool.duration("syncIntervalSeconds")
        if case .power = self.durability, let interval {
            try Self.check(interval, in: Durability.syncIntervals, setting: "spool.syncIntervalSeconds")
            self.durability = .power(interval: interval)
        }
        self.spool.directory = try spool.text("directory") ?? self.spool.directory
        try spool.read("maximumBytes", into: &self.spool.maximumBytes)
        try spool.read("maximumAgeSeconds", into: &self.spool.maximumAge)
        if let text = try spool.text("permits") {
            guard let permits = Spool.Permits(rawValue: text) else {
                throw spool.error("permits", text, "a spool's permits are owner or group")
            }
            self.spool.permits = permits
        }
        try spool.read("reportsUnexpectedExits", into: &self.spool.reportsUnexpectedExits)
        if config.isSet("durability"), self.durability == .memory {
            // `memory` is set explicitly. So one key or one variable can switch a spool off.
            self.spool = Spool()
        } else {
            try self.refuseUnusedSpool(spool, interval)
        }
    }

    /// Throws for keys of a spool that is not used.
    private func refuseUnusedSpool(_ config: SettingsReader, _ interval: Duration?) throws {
        if self.durability == .memory {
            for (key, value) in [
                ("directory", self.spool.directory ?? ""), ("maximumBytes", "\(self.spool.maximumBytes)"),
                ("maximumAgeSeconds", "\(self.spool.maximumAge)"), ("permits", self.spool.permits.rawValue),
                ("reportsUnexpectedExits", "\(self.spool.reportsUnexpectedExits)"),
            ] where config.isSet(key) {
                throw Spool.unusedError("spool.\(key)", value)
            }
        }
        guard let interval, self.durability.syncInterval == nil else { return }
        throw ConfigurationError(
            setting: "spool.syncIntervalSeconds",
            value: "\(interval)",
            rule: "files are synced only with durability power, so it would have no effect",
            suggestion: "Set durability to power, or remove spool.syncIntervalSeconds."
        )
    }

    private static func topic(_ text: String, _ config: SettingsReader) throws -> TopicRule {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("label", 1): return .label
        case ("fixed", 2...): return .fixed(parts.dropFirst().joined(separator: ":"))
        case ("label-prefix", 2): if let count = Int(parts[1]) { return .labelPrefix(components: count) }
        case ("metadata", 3): return .metadata(key: parts[1], fallback: parts[2])
        default: break
        }
        throw config.error("topic", text, "a topic rule is fixed:NAME, label, label-prefix:N or metadata:KEY:FALLBACK")
    }

    private static func compression(_ text: String, _ config: SettingsReader) throws -> Compression {
        switch text {
        case "lz4": return .lz4
        case "none": return .none
        case "deflate": return .deflate()
        default:
            guard text.hasPrefix("deflate:"), let level = Int(text.dropFirst(8)) else {
                throw config.error("compression", text, "a compression is lz4, deflate, deflate:LEVEL or none")
            }
            return .deflate(level: level)
        }
    }
}

#endif
