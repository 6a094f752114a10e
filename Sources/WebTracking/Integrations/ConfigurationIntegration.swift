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
    /// - `source` (string, optional): the source of all records; the host's name by default.
    /// - `tags` (string array of `key=value`, optional): tags of every request.
    /// - `topic` (string, optional): `fixed:NAME`, `label`, `label-prefix:N`, or `metadata:KEY:FALLBACK`.
    /// - `promotedTags` (string array, optional): metadata keys that become tags.
    /// - `maximumTopics` (int, optional, 1024).
    /// - `compression` (string, optional, `lz4`): `lz4`, `deflate`, `deflate:LEVEL` or `none`.
    /// - `memoryLimit` (int, optional, 67108864): bytes.
    /// - `logLevel` (string, optional, `info`).
    /// - `batching.targetBytes`, `batching.maximumRequestBytes`, `batching.maximumRecords` (int, optional).
    /// - `batching.lingerSeconds` (double, optional, 2).
    /// - `batching.urgentLevel` (string, optional, `error`): a level, or `none`.
    /// - `delivery.maximumConcurrentRequests` (int, optional, 8).
    /// - `delivery.requestTimeoutSeconds`, `delivery.maximumAgeSeconds`, `delivery.refusalPatienceSeconds`,
    ///   `delivery.shutdownTimeoutSeconds` (double, optional).
    ///
    /// None of them is a secret: PutWebtracking has no credentials.
    public init(config: ConfigReader) throws {
        self.init(
            endpoint: try config.requiredString(forKey: "endpoint"),
            project: try config.requiredString(forKey: "project"),
            logstore: try config.requiredString(forKey: "logstore")
        )
        self.source = config.string(forKey: "source")
        for tag in config.stringArray(forKey: "tags") ?? [] {
            guard let equals = tag.firstIndex(of: "=") else {
                throw Self.error("tags", tag, "a tag is written key=value")
            }
            self.tags[String(tag[..<equals])] = String(tag[tag.index(after: equals)...])
        }
        if let text = config.string(forKey: "topic") { self.topic = try Self.topic(text) }
        self.promotedTags = config.stringArray(forKey: "promotedTags") ?? self.promotedTags
        self.maximumTopics = config.int(forKey: "maximumTopics") ?? self.maximumTopics
        if let text = config.string(forKey: "compression") { self.compression = try Self.compression(text) }
        self.memoryLimit = config.int(forKey: "memoryLimit") ?? self.memoryLimit
        if let text = config.string(forKey: "logLevel") { self.logLevel = try Self.level(text, key: "logLevel") }
        try self.readBatching(config.scoped(to: "batching"))
        self.readDelivery(config.scoped(to: "delivery"))
        try self.validate()
    }

    private mutating func readBatching(_ config: ConfigReader) throws {
        self.batching.targetBytes = config.int(forKey: "targetBytes") ?? self.batching.targetBytes
        self.batching.maximumRequestBytes =
            config.int(forKey: "maximumRequestBytes") ?? self.batching.maximumRequestBytes
        self.batching.maximumRecords = config.int(forKey: "maximumRecords") ?? self.batching.maximumRecords
        if let seconds = config.double(forKey: "lingerSeconds") { self.batching.linger = .seconds(seconds) }
        if let text = config.string(forKey: "urgentLevel") {
            self.batching.urgentLevel = text == "none" ? nil : try Self.level(text, key: "batching.urgentLevel")
        }
    }

    private mutating func readDelivery(_ config: ConfigReader) {
        self.delivery.maximumConcurrentRequests =
            config.int(forKey: "maximumConcurrentRequests") ?? self.delivery.maximumConcurrentRequests
        func read(_ key: ConfigKey, into duration: inout Duration) {
            if let seconds = config.double(forKey: key) { duration = .seconds(seconds) }
        }
        read("requestTimeoutSeconds", into: &self.delivery.requestTimeout)
        read("maximumAgeSeconds", into: &self.delivery.maximumAge)
        read("refusalPatienceSeconds", into: &self.delivery.refusalPatience)
        read("shutdownTimeoutSeconds", into: &self.delivery.shutdownTimeout)
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

    private static func level(_ text: String, key: String) throws -> LogLevel {
        guard let level = LogLevel(rawValue: text) else {
            throw self.error(key, text, "a level is trace, debug, info, notice, warning, error or critical")
        }
        return level
    }

    private static func error(_ key: String, _ value: String, _ rule: String) -> ConfigurationError {
        ConfigurationError(setting: key, value: value, rule: rule, mend: "Change the key \(key).")
    }
}

#endif
