// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

extension WebTrackingConfiguration {
    /// Checks all settings. Throws ``ConfigurationError`` for the first one that cannot work.
    public func validate() throws {
        let endpoint = try Endpoint.parse(self.endpoint)
        let isPrivate = endpoint.isSecure || endpoint.isLoopback
        try ConfigurationError.require(isPrivate || self.allowsPlainHTTP, "allowsPlainHTTP", "false") {
            (
                "logs for \(endpoint.host) would go over http, where anyone on the way can read and change them",
                "Write https:// in the endpoint, or set allowsPlainHTTP to true if that is meant."
            )
        }
        try NameRules.checkProject(self.project)
        let hasProject = endpoint.takesProject && endpoint.host.hasPrefix("\(self.project).")
        try ConfigurationError.require(!hasProject, "endpoint", self.endpoint) {
            (
                "the project is put in front of the endpoint, and this one has it already",
                "Leave the project out of the endpoint."
            )
        }
        try NameRules.checkLogstore(self.logstore)
        if let source = self.source { try NameRules.checkSource(source) }
        try self.checkTags()
        try self.checkTopic()
        try self.checkFields()
        try self.checkNumbers()
        try self.checkRoom()
        try self.checkSpool()
        try self.redaction.validate()
        try self.sampling.validate()
        #if AsyncHTTPClient
        _ = try self.proxy?.server(for: self)
        #endif
        #if SignedPutLogs
        try self.authentication.signing?.check()
        #endif
    }

    private func checkSpool() throws {
        try Self.check(self.spool.maximumBytes, in: (1 << 20)...(1 << 40), setting: "spool.maximumBytes")
        try Self.check(self.spool.maximumAge, in: .seconds(1) ... .seconds(366 * 86_400), setting: "spool.maximumAge")
        if let interval = self.durability.syncInterval {
            try Self.check(interval, in: Durability.syncIntervals, setting: "durability.interval")
        }
        guard self.durability != .memory else { return try self.spool.checkUnused() }
        let directory = self.spool.directory ?? ""
        guard directory.utf8.first == UInt8(ascii: "/"), !directory.utf8.contains(0), directory.utf8.count <= 1024
        else {
            throw ConfigurationError(
                setting: "spool.directory",
                value: directory,
                rule: "records that are to outlive the process need a directory, named from the root",
                suggestion: "Name one on a local disk, such as /var/spool/my-service."
            )
        }
    }

    private func checkTags() throws {
        for (key, value) in self.tags.sorted(by: { $0.key < $1.key }) {
            try NameRules.checkKey(key, setting: "tags")
            try ConfigurationError.require(value.utf8.count <= 1024, "tags", "\(key)=\(value.prefix(40))…") {
                ("a tag's value has at most 1024 bytes, since every request carries it", "Shorten it.")
            }
        }
        for key in self.promotedTags {
            try NameRules.checkKey(key, setting: "promotedTags")
            guard self.tags[key] == nil, self.promotedTags.count(where: { $0 == key }) == 1, self.topic.key != key
            else {
                throw ConfigurationError(
                    setting: "promotedTags",
                    value: key,
                    rule: "a key can become one tag only, and not both topic and tag",
                    suggestion: "Remove it from tags, from the topic rule, or from promotedTags."
                )
            }
        }
    }

    private func checkTopic() throws {
        switch self.topic {
        case .fixed(let topic): try NameRules.checkTopic(topic)
        case .label: break
        case .labelPrefix(let components):
            try Self.check(components, in: 1...64, setting: "topic.labelPrefix.components")
        case .metadata(let key, let fallback):
            try NameRules.checkTopic(fallback)
            try ConfigurationError.require(!key.isEmpty, "topic", key) {
                ("a metadata key to take the topic from cannot be empty", "Name the key.")
            }
        }
    }

    private func checkFields() throws {
        var seen: Set<String> = []
        for name in self.fields.leading + self.fields.error {
            try NameRules.checkKey(name, setting: "fields")
            try ConfigurationError.require(seen.insert(name).inserted, "fields", name) {
                ("two fields cannot have one name", "Rename one of them.")
            }
        }
    }

    private func checkNumbers() throws {
        try Self.check(self.maximumTopics, in: 1...100_000, setting: "maximumTopics")
        try Self.check(self.idleTopicTimeout, in: .seconds(1) ... .seconds(86_400), setting: "idleTopicTimeout")
        try Self.check(self.memoryLimit, in: (1 << 20)...(1 << 40), setting: "memoryLimit")
        try self.check(PlainSetting.batching + PlainSetting.delivery + PlainSetting.limits)
        let delivery = self.delivery
        let pairs = [
            ("Backoff", delivery.initialBackoff, delivery.maximumBackoff),
            ("QuotaBackoff", delivery.initialQuotaBackoff, delivery.maximumQuotaBackoff),
            ("RefusalBackoff", delivery.initialRefusalBackoff, delivery.maximumRefusalBackoff),
        ]
        for (name, initial, maximum) in pairs {
            try Self.check(initial, in: .milliseconds(1) ... .seconds(3600), setting: "delivery.initial\(name)")
            try Self.check(maximum, in: initial ... .seconds(86_400), setting: "delivery.maximum\(name)")
        }
        if case .deflate(let level) = self.compression {
            try Self.check(level, in: 1...9, setting: "compression.level")
        }
    }

    private func check(_ settings: [PlainSetting.Named]) throws {
        for (key, setting) in settings {
            switch setting {
            case .number(let path, let range): try Self.check(self[keyPath: path], in: range, setting: key)
            case .seconds(let path, let range?):
                try Self.check(self[keyPath: path], in: range, setting: String(key.dropLast("Seconds".count)))
            case .seconds, .text, .flag: break
            }
        }
    }

    private func checkRoom() throws {
        try ConfigurationError.require(self.recordRoom >= 32 << 10, "tags", "\(self.tags.count) tags") {
            (
                "tags take up so much of each request that no room for records is left",
                "Shorten them, or raise batching.maximumRequestBytes."
            )
        }
    }

    /// The size to which records are cut, in bytes. A record has to fit into a request, and into half of the memory
    /// that the least severe level may fill.
    var largestRecord: Int {
        let share = SheddingPolicy().ceiling(rank: 0, limit: self.memoryLimit) / 2
        return min(self.limits.maximumRecordBytes, self.recordRoom, share)
    }

    /// The bytes that a request leaves for one record if its topic and tags are as long as possible.
    var recordRoom: Int {
        // In JSON, a byte needs at most six bytes.
        let longest = String(repeating: "\u{1}", count: TopicKey.maximumTagBytes)
        let key = TopicKey(
            topic: String(repeating: "\u{1}", count: TopicKey.maximumTopicBytes),
            tags: self.promotedTags.map { .init(key: $0, value: longest) }
        )
        let envelope = Envelope(
            key: key,
            source: longest,
            staticTags: self.tags.map { ($0.key, $0.value) },
            batchPrefix: 0
        )
        return self.batching.maximumRequestBytes - envelope.longestHeader - Envelope.footer.count
    }

    static func check<Value: Comparable>(
        _ value: Value,
        in range: ClosedRange<Value>,
        setting: String
    ) throws {
        try ConfigurationError.require(range.contains(value), setting, "\(value)") {
            ("the value has to be from \(range.lowerBound) to \(range.upperBound)", "Choose one in that range.")
        }
    }
}
