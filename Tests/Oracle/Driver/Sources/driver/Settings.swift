// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTracking

extension Case {
    /// The configuration that the case asks for. Batches end at a flush only, so that the oracle knows where they do.
    func configuration() throws -> WebTrackingConfiguration {
        var configuration = WebTrackingConfiguration(
            endpoint: "http://127.0.0.1:8080",
            project: "oracle",
            logstore: "oracle"
        )
        configuration.batching.linger = .seconds(3600)
        configuration.batching.urgentLevel = nil
        configuration.batching.targetBytes = 10 << 20
        configuration.batching.maximumRequestBytes = 10 << 20
        configuration.memoryLimit = 512 << 20
        configuration.source = self.source
        for tag in self.tags { configuration.tags[tag[0]] = tag[1] }
        configuration.topic = try self.topic.rule()
        configuration.promotedTags = self.promotedTags
        if let maximumTopics = self.maximumTopics { configuration.maximumTopics = maximumTopics }
        switch self.compression {
        case "none": configuration.compression = .none
        case "deflate": configuration.compression = .deflate(level: 1)
        default: configuration.compression = .lz4
        }
        for (field, name) in self.fields { try configuration.fields.rename(field, name) }
        if self.excludes.contains("codeLocation") { configuration.fields.includesCodeLocation = false }
        if self.excludes.contains("sequence") { configuration.fields.includesSequence = false }
        if self.excludes.contains("batchID") { configuration.fields.includesBatchID = false }
        for (limit, number) in self.limits {
            switch limit {
            case "maximumValueBytes": configuration.limits.maximumValueBytes = number
            case "maximumRecordBytes": configuration.limits.maximumRecordBytes = number
            case "maximumNesting": configuration.limits.maximumNesting = number
            default: throw DriverError(description: "limit \(limit)")
            }
        }
        configuration.redaction = try Redaction(rules: self.rules, standard: self.standard)
        configuration.redaction.pseudonymKey = self.pseudonymKey.flatMap { PseudonymKey(hexadecimal: $0) }
        configuration.sampling.rates = try Sampling.rates(self.rates)
        configuration.sampling.suppressedRepeats = Set(self.folded.compactMap { LogLevel(rawValue: $0) })
        return configuration
    }
}

extension Case.Topic {
    fileprivate func rule() throws -> TopicRule {
        switch self.kind {
        case "fixed": .fixed(self.name ?? "")
        case "label": .label
        case "prefix": .labelPrefix(components: self.components ?? 1)
        case "metadata": .metadata(key: self.name ?? "", fallback: "fallback")
        default: throw DriverError(description: "topic \(self.kind)")
        }
    }
}

extension Case.Rule {
    fileprivate func rule() throws -> RedactionRule {
        guard let action = Redaction.Action(rawValue: self.action) else {
            throw DriverError(description: "action \(self.action)")
        }
        let name = self.name ?? ""
        // Bytes are compared, so that the oracle and this take the same texts for the same.
        return switch self.kind {
        case "key": .key(name, action)
        case "suffix": .suffix(name, action)
        case "valueBegins": .function { _, value in value.utf8.starts(with: name.utf8) ? action : nil }
        case "keyIs": .function { key, _ in Array(key.utf8) == Array(name.utf8) ? action : nil }
        default: throw DriverError(description: "rule \(self.kind)")
        }
    }
}

extension Redaction {
    /// These rules, and behind them the standard ones if wanted.
    init(rules: [Case.Rule], standard: Bool) throws {
        self = standard ? .standard : .none
        self.rules.insert(contentsOf: try rules.map { try $0.rule() }, at: 0)
    }
}

extension Sampling {
    /// The rates by level.
    static func rates(_ rates: [String: Case.Rate]) throws -> [LogLevel: Rate] {
        var result: [LogLevel: Rate] = [:]
        for (name, rate) in rates {
            guard let level = LogLevel(rawValue: name) else { throw DriverError(description: "level \(name)") }
            result[level] = Rate(first: rate.first, thenOneIn: rate.thenOneIn)
        }
        return result
    }
}

extension FieldMapping {
    fileprivate mutating func rename(_ field: String, _ name: String) throws {
        switch field {
        case "time": self.time = name
        case "level": self.level = name
        case "label": self.label = name
        case "message": self.message = name
        case "source": self.source = name
        case "file": self.file = name
        case "function": self.function = name
        case "line": self.line = name
        case "sequence": self.sequence = name
        case "errorType": self.errorType = name
        case "errorMessage": self.errorMessage = name
        default: throw DriverError(description: "field \(field)")
        }
    }
}
