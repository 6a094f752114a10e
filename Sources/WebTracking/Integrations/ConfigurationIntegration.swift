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

extension WebTrackingConfiguration {
    /// Reads a configuration; keys that are not set keep their defaults.
    ///
    /// Throws ``ConfigurationError`` for a value that cannot work, and what the reader throws for a required key that is
    /// not set. Scope the reader to put the keys under a prefix: `config.scoped(to: "webtracking")`.
    ///
    /// ## Configuration keys
    /// - `endpoint` (string, required): the service's endpoint.
    /// - `project` (string, required): the project.
    /// - `logstore` (string, required): the logstore.
    /// - `allowsPlainHTTP` (bool, optional, false): whether logs may go over plain http to another machine.
    /// - `source` (string, optional): the source of all records; the host's name by default.
    /// - `tags` (string array of `key=value`, optional): tags of every request.
    /// - `topic` (string, optional): `fixed:NAME`, `label`, `label-prefix:N`, or `metadata:KEY:FALLBACK`.
    /// - `promotedTags` (string array, optional): metadata keys that become tags.
    /// - `maximumTopics` (int, optional, 1024).
    /// - `idleTopicTimeoutSeconds` (double, optional, 60).
    /// - `compression` (string, optional, `lz4`): `lz4`, `deflate`, `deflate:LEVEL` or `none`.
    /// - `memoryLimit` (int, optional, 67108864): bytes.
    /// - `logLevel` (string, optional, `info`).
    /// - `logLevels` (string array of `label=level`, optional): levels that outrank the code's, by the beginning of a label.
    /// - `redaction.standard` (bool, optional, true): whether ``Redaction/standard`` is in force.
    /// - `redaction.keep`, `redaction.drop`, `redaction.pseudonym`, `redaction.mask` (string array, optional): keys of
    ///   metadata, or endings of keys with a `*` in front; they come before all other rules, in this order.
    /// - `redaction.pseudonymKey` (string, optional, **secret**): 32 hexadecimal digits.
    /// - `sampling.first`, `sampling.thenOneIn` (int, optional): how many records of a statement and second are kept.
    /// - `sampling.below` (string, optional, `error`): the level from which on nothing is sampled.
    /// - `sampling.foldBelow` (string, optional, `none`): the level from which on identical records are not folded.
    /// - `batching.targetBytes`, `batching.maximumRequestBytes`, `batching.maximumRecords` (int, optional).
    /// - `batching.lingerSeconds` (double, optional, 2).
    /// - `batching.urgentLevel` (string, optional, `error`): a level, or `none`.
    /// - `delivery.maximumConcurrentRequests` (int, optional, 8).
    /// - `delivery.requestTimeoutSeconds`, `delivery.initialBackoffSeconds`, `delivery.maximumBackoffSeconds`,
    ///   `delivery.initialQuotaBackoffSeconds`, `delivery.maximumQuotaBackoffSeconds`,
    ///   `delivery.initialRefusalBackoffSeconds`, `delivery.maximumRefusalBackoffSeconds`,
    ///   `delivery.refusalPatienceSeconds`, `delivery.maximumAgeSeconds`, `delivery.shutdownTimeoutSeconds` (double,
    ///   optional).
    /// - `limits.maximumValueBytes`, `limits.maximumRecordBytes`, `limits.maximumNesting` (int, optional).
    /// - `fields.time`, `fields.level`, `fields.label`, `fields.message`, `fields.source`, `fields.file`,
    ///   `fields.function`, `fields.line`, `fields.sequence`, `fields.errorType`, `fields.errorMessage` (string, optional):
    ///   names.
    /// - `fields.includesCodeLocation`, `fields.includesSequence`, `fields.includesBatchID` (bool, optional, true).
    /// - `durability` (string, optional, `memory`): `memory`, `process` or `power`.
    /// - `spool.directory` (string), `spool.maximumBytes` (int), `spool.maximumAgeSeconds` and `spool.syncIntervalSeconds`
    ///   (double), all optional.
    /// - `signing.region` (string, optional): signs requests for that region, which takes the trait `SignedPutLogs`.
    /// - `signing.accessKeyID` (string), `signing.accessKeySecret` (string, **secret**), `signing.securityToken` (string,
    ///   **secret**), all optional: an AccessKey that does not change; by default that of the environment's
    ///   `ALIBABA_CLOUD_ACCESS_KEY_ID` and so on, read anew each time.
    ///
    /// Levels, redaction and sampling can also be followed while the program runs: ``WebTrackingProducer/follow(_:)``.
    public init(config reader: ConfigReader) throws {
        let config = reader.snapshot()
        self.init(
            endpoint: try config.requiredString(forKey: "endpoint"),
            project: try config.requiredString(forKey: "project"),
            logstore: try config.requiredString(forKey: "logstore")
        )
        try Self.read("allowsPlainHTTP", of: config, in: "", into: &self.allowsPlainHTTP)
        self.source = config.string(forKey: "source")
        for tag in config.stringArray(forKey: "tags") ?? [] {
            guard let equals = tag.firstIndex(of: "=") else {
                throw Self.error("tags", tag, "a tag is written key=value")
            }
            self.tags[String(tag[..<equals])] = String(tag[tag.index(after: equals)...])
        }
        if let text = config.string(forKey: "topic") { self.topic = try Self.topic(text) }
        self.promotedTags = config.stringArray(forKey: "promotedTags") ?? self.promotedTags
        try Self.read("maximumTopics", of: config, into: &self.maximumTopics)
        try Self.read("idleTopicTimeoutSeconds", of: config, into: &self.idleTopicTimeout)
        if let text = config.string(forKey: "compression") { self.compression = try Self.compression(text) }
        try Self.read("memoryLimit", of: config, into: &self.memoryLimit)
        if let text = config.string(forKey: "logLevel") { self.logLevel = try Self.level(text, key: "logLevel") }
        try self.readBatching(config.scoped(to: "batching"))
        try self.readDelivery(config.scoped(to: "delivery"))
        try self.readLimits(config.scoped(to: "limits"))
        try self.readFields(config.scoped(to: "fields"))
        try self.readDurability(config)
        try self.readSigning(config.scoped(to: "signing"))
        try self.readLiveSettings(config)
        try self.validate()
    }

    private mutating func readBatching(_ config: ConfigSnapshotReader) throws {
        try Self.read("targetBytes", of: config, in: "batching.", into: &self.batching.targetBytes)
        try Self.read("maximumRequestBytes", of: config, in: "batching.", into: &self.batching.maximumRequestBytes)
        try Self.read("maximumRecords", of: config, in: "batching.", into: &self.batching.maximumRecords)
        try Self.read("lingerSeconds", of: config, in: "batching.", into: &self.batching.linger)
        if let text = config.string(forKey: "urgentLevel") {
            self.batching.urgentLevel = text == "none" ? nil : try Self.level(text, key: "batching.urgentLevel")
        }
    }

    private mutating func readDelivery(_ config: ConfigSnapshotReader) throws {
        try Self.read(
            "maximumConcurrentRequests",
            of: config,
            in: "delivery.",
            into: &self.delivery.maximumConcurrentRequests
        )
        try Self.read("requestTimeoutSeconds", of: config, in: "delivery.", into: &self.delivery.requestTimeout)
        try Self.read("initialBackoffSeconds", of: config, in: "delivery.", into: &self.delivery.initialBackoff)
        try Self.read("maximumBackoffSeconds", of: config, in: "delivery.", into: &self.delivery.maximumBackoff)
        try Self.read(
            "initialQuotaBackoffSeconds",
            of: config,
            in: "delivery.",
            into: &self.delivery.initialQuotaBackoff
        )
        try Self.read(
            "maximumQuotaBackoffSeconds",
            of: config,
            in: "delivery.",
            into: &self.delivery.maximumQuotaBackoff
        )
        try Self.read(
            "initialRefusalBackoffSeconds",
            of: config,
            in: "delivery.",
            into: &self.delivery.initialRefusalBackoff
        )
        try Self.read(
            "maximumRefusalBackoffSeconds",
            of: config,
            in: "delivery.",
            into: &self.delivery.maximumRefusalBackoff
        )
        try Self.read("refusalPatienceSeconds", of: config, in: "delivery.", into: &self.delivery.refusalPatience)
        try Self.read("maximumAgeSeconds", of: config, in: "delivery.", into: &self.delivery.maximumAge)
        try Self.read("shutdownTimeoutSeconds", of: config, in: "delivery.", into: &self.delivery.shutdownTimeout)
    }

    private mutating func readLimits(_ config: ConfigSnapshotReader) throws {
        try Self.read("maximumValueBytes", of: config, in: "limits.", into: &self.limits.maximumValueBytes)
        try Self.read("maximumRecordBytes", of: config, in: "limits.", into: &self.limits.maximumRecordBytes)
        try Self.read("maximumNesting", of: config, in: "limits.", into: &self.limits.maximumNesting)
    }

    private mutating func readDurability(_ config: ConfigSnapshotReader) throws {
        if let text = config.string(forKey: "durability") {
            switch text {
            case "memory": self.durability = .memory
            case "process": self.durability = .process
            case "power": self.durability = .power()
            default: throw Self.error("durability", text, "a durability is memory, process or power")
            }
        }
        if case .power(var interval) = self.durability {
            try Self.read("syncIntervalSeconds", of: config.scoped(to: "spool"), in: "spool.", into: &interval)
            self.durability = .power(interval: interval)
        }
        let spool = config.scoped(to: "spool")
        self.spool.directory = spool.string(forKey: "directory")
        try Self.read("maximumBytes", of: spool, in: "spool.", into: &self.spool.maximumBytes)
        try Self.read("maximumAgeSeconds", of: spool, in: "spool.", into: &self.spool.maximumAge)
    }

    private mutating func readFields(_ config: ConfigSnapshotReader) throws {
        func read(_ key: ConfigKey, into name: inout String) { name = config.string(forKey: key) ?? name }
        read("time", into: &self.fields.time)
        read("level", into: &self.fields.level)
        read("label", into: &self.fields.label)
        read("message", into: &self.fields.message)
        read("source", into: &self.fields.source)
        read("file", into: &self.fields.file)
        read("function", into: &self.fields.function)
        read("line", into: &self.fields.line)
        read("sequence", into: &self.fields.sequence)
        read("errorType", into: &self.fields.errorType)
        read("errorMessage", into: &self.fields.errorMessage)
        try Self.read("includesCodeLocation", of: config, in: "fields.", into: &self.fields.includesCodeLocation)
        try Self.read("includesSequence", of: config, in: "fields.", into: &self.fields.includesSequence)
        try Self.read("includesBatchID", of: config, in: "fields.", into: &self.fields.includesBatchID)
    }

    private static func read(
        _ key: String,
        of config: ConfigSnapshotReader,
        in scope: String = "",
        into duration: inout Duration
    ) throws {
        guard let seconds = config.double(forKey: ConfigKey(key)) else {
            try self.refuseText(key, of: config, in: scope, rule: "a duration is a number of seconds")
            return
        }
        // A duration traps on what it cannot hold.
        guard seconds.isFinite, abs(seconds) < 1e9 else {
            throw self.error(scope + key, "\(seconds)", "a duration is a number of seconds")
        }
        duration = .seconds(seconds)
    }

    private static func read(
        _ key: String,
        of config: ConfigSnapshotReader,
        in scope: String = "",
        into number: inout Int
    ) throws {
        if let value = try self.number(key, of: config, in: scope) { number = value }
    }

    static func number(_ key: String, of config: ConfigSnapshotReader, in scope: String) throws -> Int? {
        if let value = config.int(forKey: ConfigKey(key)) { return value }
        try self.refuseText(key, of: config, in: scope, rule: "the value is a whole number")
        return nil
    }

    private static func read(
        _ key: String,
        of config: ConfigSnapshotReader,
        in scope: String,
        into flag: inout Bool
    ) throws {
        if let value = config.bool(forKey: ConfigKey(key)) {
            flag = value
        } else {
            try self.refuseText(key, of: config, in: scope, rule: "the value is true or false")
        }
    }

    /// Throws for a key that is set to a text which is not what the key asks for; a reader says `nil` for it, as for a key
    /// that is not set.
    private static func refuseText(
        _ key: String,
        of config: ConfigSnapshotReader,
        in scope: String,
        rule: String
    ) throws {
        if let text = config.string(forKey: ConfigKey(key)) { throw self.error(scope + key, text, rule) }
    }

    private static func topic(_ text: String) throws -> TopicRule {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("label", 1): return .label
        case ("fixed", 2...): return .fixed(parts.dropFirst().joined(separator: ":"))
        case ("label-prefix", 2): if let count = Int(parts[1]) { return .labelPrefix(components: count) }
        case ("metadata", 3): return .metadata(key: parts[1], fallback: parts[2])
        default: break
        }
        throw self.error("topic", text, "a topic rule is fixed:NAME, label, label-prefix:N or metadata:KEY:FALLBACK")
    }

    private static func compression(_ text: String) throws -> Compression {
        switch text {
        case "lz4": return .lz4
        case "none": return .none
        case "deflate": return .deflate()
        default:
            guard text.hasPrefix("deflate:"), let level = Int(text.dropFirst(8)) else {
                throw self.error("compression", text, "a compression is lz4, deflate, deflate:LEVEL or none")
            }
            return .deflate(level: level)
        }
    }

    static func level(_ text: String, key: String) throws -> LogLevel {
        guard let level = LogLevel(rawValue: text) else {
            throw self.error(key, text, "a level is trace, debug, info, notice, warning, error or critical")
        }
        return level
    }

    static func error(_ key: String, _ value: String, _ rule: String) -> ConfigurationError {
        ConfigurationError(setting: key, value: value, rule: rule, mend: "Change the key \(key).")
    }
}

#endif
