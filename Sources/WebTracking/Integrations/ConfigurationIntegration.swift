// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

public import Configuration

extension WebTrackingConfiguration {
    /// Reads a configuration; keys that are not set keep their defaults.
    ///
    /// Throws ``ConfigurationError`` for a value that cannot work, and what the reader throws for a required key that is
    /// not set. Scope the reader to put the keys under a prefix: `config.scoped(to: "webtracking")`.
    ///
    /// ## Configuration keys
    /// A key is the name of a setting, with its group and a dot in front. That of a duration ends in `Seconds` and is a
    /// double. All but the first three are optional, with the default of their setting.
    ///
    /// - `endpoint`, `project`, `logstore` (string, required)
    /// - `allowsPlainHTTP` (bool)
    /// - `source` (string): an empty one is the host's name, in a file as well.
    /// - `tags` (string array): items `key=value`; in a file an object, too.
    /// - `topic` (string): `fixed:NAME`, `label`, `label-prefix:N`, or `metadata:KEY:FALLBACK`.
    /// - `promotedTags` (string array)
    /// - `maximumTopics`, `memoryLimit` (int)
    /// - `idleTopicTimeoutSeconds` (double)
    /// - `compression` (string): `lz4`, `deflate`, `deflate:LEVEL`, or `none`.
    /// - `logLevel` (string)
    /// - `logLevels` (string array): items `label=level`, the setting `logLevelOverrides`; in a file an object, too.
    /// - `redaction.standard` (bool): whether the standard rules are in force; true by default.
    /// - `redaction.keep`, `redaction.drop`, `redaction.pseudonym`, `redaction.mask` (string array): keys of metadata, or
    ///   endings of keys with a `*` in front; they come before all other rules, in this order.
    /// - `redaction.pseudonymKey` (string, **secret**): 32 hexadecimal digits.
    /// - `sampling.first`, `sampling.thenOneIn` (int): how many records of a statement and second are kept; 0 to 1,000,000,
    ///   at least 1.
    /// - `sampling.below` (string): the level from which on nothing is sampled; `error` by default.
    /// - `sampling.suppressRepeatsBelow` (string): the level from which on identical records are not folded, or `none`, the default.
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
    /// - `durability` (string): `memory`, `process`, or `power`; `memory` switches the keys under `spool` off, which are refused
    ///   without a durability.
    /// - `spool.directory` (string)
    /// - `spool.maximumBytes` (int)
    /// - `spool.maximumAgeSeconds` (double)
    /// - `spool.syncIntervalSeconds` (double): the interval of `power`, and refused without it; 0.5 by default.
    /// - `spool.permits` (string): `owner` or `group`.
    /// - `proxy.host`, `proxy.username` (string), `proxy.port` (int), `proxy.password` (string, **secret**): the HTTP proxy to
    ///   send through.
    /// - `proxy.fromEnvironment` (bool): whether `HTTPS_PROXY` and `NO_PROXY` are read; false by default.
    /// - `signing.region` (string): signs requests for that region; needs the trait `SignedPutLogs`.
    /// - `signing.accessKeyID` (string), `signing.accessKeySecret`, `signing.securityToken` (string, **secret**): an AccessKey
    ///   that does not change; by default that of the environment's `ALIBABA_CLOUD_ACCESS_KEY_ID` and so on, read each time.
    ///
    /// Levels, redaction and sampling can also be followed while the program runs: ``WebTrackingProducer/follow(_:)``.
    ///
    /// A reader cannot list its keys. What is asked for beside them, so that it is not ignored without a word: a value where a
    /// group belongs, names that people write in place of a key, and variables of the process that nearly are one. Other
    /// misspelt keys, and objects in place of lists with other names in them, are found by ``init(file:)`` only.
    public init(config reader: ConfigReader) throws {
        try self.init(layers: [.config(reader.snapshot())])
    }

    /// Reads a configuration from a file, of which every key is looked at; the keys are those of ``init(config:)``, and `tags`
    /// and `logLevels` may be objects.
    ///
    /// Throws ``ConfigurationError`` for a file that cannot be read, a key that does not exist, with the nearest that does, a
    /// value of another shape, and a value that cannot work.
    public init(file: WebTrackingSettingsFile) throws {
        try self.init(layers: file.layers())
    }

    init(
        layers: [SettingsReader.Layer],
        environment: [String: String] = SettingsVariables.process
    ) throws {
        let config = SettingsReader(layers, environment: environment)
        try config.refuseStrays(environment)
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
                throw config.error("tags", name, "a tag is there once, or one of its values would have no effect")
            }
        }
        if let text = try config.text("topic") { self.topic = try Self.topic(text, config) }
        try config.read("promotedTags", into: &self.promotedTags)
        try config.read("maximumTopics", into: &self.maximumTopics)
        try config.read("idleTopicTimeoutSeconds", into: &self.idleTopicTimeout)
        if let text = try config.text("compression") { self.compression = try Self.compression(text, config) }
        try config.read("memoryLimit", into: &self.memoryLimit)
        self.logLevel = try config.level("logLevel") ?? self.logLevel
        try self.readBatching(config.scoped(to: "batching"))
        try self.readDelivery(config.scoped(to: "delivery"))
        try self.readLimits(config.scoped(to: "limits"))
        try self.readFields(config.scoped(to: "fields"))
        try self.readDurability(config)
        try self.readProxy(config.scoped(to: "proxy"))
        try self.readSigning(config.scoped(to: "signing"))
        try self.readLiveSettings(config)
    }

    private mutating func readBatching(_ config: SettingsReader) throws {
        try config.read("targetBytes", into: &self.batching.targetBytes)
        try config.read("maximumRequestBytes", into: &self.batching.maximumRequestBytes)
        try config.read("maximumRecords", into: &self.batching.maximumRecords)
        try config.read("lingerSeconds", into: &self.batching.linger)
        if let text = try config.text("urgentLevel") {
            self.batching.urgentLevel = text == "none" ? nil : try config.level(text, of: "urgentLevel")
        }
    }

    private mutating func readDelivery(_ config: SettingsReader) throws {
        try config.read("maximumConcurrentRequests", into: &self.delivery.maximumConcurrentRequests)
        try config.read("requestTimeoutSeconds", into: &self.delivery.requestTimeout)
        try config.read("initialBackoffSeconds", into: &self.delivery.initialBackoff)
        try config.read("maximumBackoffSeconds", into: &self.delivery.maximumBackoff)
        try config.read("initialQuotaBackoffSeconds", into: &self.delivery.initialQuotaBackoff)
        try config.read("maximumQuotaBackoffSeconds", into: &self.delivery.maximumQuotaBackoff)
        try config.read("initialRefusalBackoffSeconds", into: &self.delivery.initialRefusalBackoff)
        try config.read("maximumRefusalBackoffSeconds", into: &self.delivery.maximumRefusalBackoff)
        try config.read("refusalPatienceSeconds", into: &self.delivery.refusalPatience)
        try config.read("maximumAgeSeconds", into: &self.delivery.maximumAge)
        try config.read("shutdownTimeoutSeconds", into: &self.delivery.shutdownTimeout)
    }

    private mutating func readLimits(_ config: SettingsReader) throws {
        try config.read("maximumValueBytes", into: &self.limits.maximumValueBytes)
        try config.read("maximumRecordBytes", into: &self.limits.maximumRecordBytes)
        try config.read("maximumNesting", into: &self.limits.maximumNesting)
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
        // Asked for always: a value that is no number is an error wherever it stands.
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
                throw spool.error("permits", text, "what a spool permits is owner or group")
            }
            self.spool.permits = permits
        }
        if config.isSet("durability"), self.durability == .memory {
            // Said in so many words: so one key, or one variable, switches a spool off.
            self.spool = Spool()
        } else {
            try self.refuseUnusedSpool(spool, interval)
        }
    }

    /// Throws for keys of a spool that there is not.
    private func refuseUnusedSpool(_ config: SettingsReader, _ interval: Duration?) throws {
        if self.durability == .memory {
            for (key, value) in [
                ("directory", self.spool.directory ?? ""), ("maximumBytes", "\(self.spool.maximumBytes)"),
                ("maximumAgeSeconds", "\(self.spool.maximumAge)"), ("permits", self.spool.permits.rawValue),
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

    private mutating func readFields(_ config: SettingsReader) throws {
        try config.read("time", into: &self.fields.time)
        try config.read("level", into: &self.fields.level)
        try config.read("label", into: &self.fields.label)
        try config.read("message", into: &self.fields.message)
        try config.read("source", into: &self.fields.source)
        try config.read("file", into: &self.fields.file)
        try config.read("function", into: &self.fields.function)
        try config.read("line", into: &self.fields.line)
        try config.read("sequence", into: &self.fields.sequence)
        try config.read("errorType", into: &self.fields.errorType)
        try config.read("errorMessage", into: &self.fields.errorMessage)
        try config.read("includesCodeLocation", into: &self.fields.includesCodeLocation)
        try config.read("includesSequence", into: &self.fields.includesSequence)
        try config.read("includesBatchID", into: &self.fields.includesBatchID)
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
