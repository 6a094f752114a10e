// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

extension WebTrackingConfiguration {
    /// Throws ``ConfigurationError`` for the first setting that cannot work.
    public func validate() throws {
        let endpoint = try Endpoint.parse(self.endpoint)
        guard endpoint.isSecure || endpoint.isLoopback || self.allowsPlainHTTP else {
            throw ConfigurationError(
                setting: "allowsPlainHTTP",
                value: "\(self.allowsPlainHTTP)",
                rule:
                    "to \(endpoint.host), logs would go over http, where everybody on the way can read and change them",
                suggestion: "Write https:// in the endpoint, or set allowsPlainHTTP to true if that is meant."
            )
        }
        try NameRules.checkProject(self.project)
        guard !endpoint.takesProject || !endpoint.host.hasPrefix("\(self.project).") else {
            throw ConfigurationError(
                setting: "endpoint",
                value: self.endpoint,
                rule: "the project is put in front of the endpoint, and this one has it already",
                suggestion: "Leave the project out of the endpoint."
            )
        }
        try NameRules.checkLogstore(self.logstore)
        if let source = self.source { try NameRules.checkSource(source) }
        try self.checkTags()
        try self.checkTopic()
        try self.checkFields()
        try self.checkNumbers()
        try self.checkSizes()
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
            guard value.utf8.count <= 1024 else {
                throw ConfigurationError(
                    setting: "tags",
                    value: "\(key)=\(value.prefix(40))…",
                    rule: "a tag's value has at most 1024 bytes, since every request carries it",
                    suggestion: "Shorten it."
                )
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
            guard !key.isEmpty else {
                throw ConfigurationError(
                    setting: "topic",
                    value: key,
                    rule: "a metadata key to take the topic from cannot be empty",
                    suggestion: "Name the key."
                )
            }
        }
    }

    private func checkFields() throws {
        var seen: Set<String> = []
        for name in self.fields.leading + self.fields.error {
            try NameRules.checkKey(name, setting: "fields")
            guard seen.insert(name).inserted else {
                throw ConfigurationError(
                    setting: "fields",
                    value: name,
                    rule: "two fields cannot have one name",
                    suggestion: "Rename one of them."
                )
            }
        }
    }

    private func checkNumbers() throws {
        try Self.check(self.maximumTopics, in: 1...100_000, setting: "maximumTopics")
        try Self.check(self.idleTopicTimeout, in: .seconds(1) ... .seconds(86_400), setting: "idleTopicTimeout")
        try Self.check(self.memoryLimit, in: (1 << 20)...(1 << 40), setting: "memoryLimit")
        try Self.check(self.batching.maximumRecords, in: 1...4096, setting: "batching.maximumRecords")
        try Self.check(self.batching.linger, in: .zero ... .seconds(3600), setting: "batching.linger")
        let delivery = self.delivery
        try Self.check(
            delivery.maximumConcurrentRequests,
            in: 1...1024,
            setting: "delivery.maximumConcurrentRequests"
        )
        try Self.check(
            delivery.requestTimeout,
            in: .milliseconds(100) ... .seconds(600),
            setting: "delivery.requestTimeout"
        )
        let pairs = [
            ("Backoff", delivery.initialBackoff, delivery.maximumBackoff),
            ("QuotaBackoff", delivery.initialQuotaBackoff, delivery.maximumQuotaBackoff),
            ("RefusalBackoff", delivery.initialRefusalBackoff, delivery.maximumRefusalBackoff),
        ]
        for (name, initial, maximum) in pairs {
            try Self.check(initial, in: .milliseconds(1) ... .seconds(3600), setting: "delivery.initial\(name)")
            try Self.check(maximum, in: initial ... .seconds(86_400), setting: "delivery.maximum\(name)")
        }
        let week = Duration.seconds(7 * 86_400)
        try Self.check(delivery.refusalPatience, in: .zero...week, setting: "delivery.refusalPatience")
        try Self.check(delivery.maximumAge, in: .seconds(1)...week, setting: "delivery.maximumAge")
        try Self.check(delivery.shutdownTimeout, in: .zero ... .seconds(3600), setting: "delivery.shutdownTimeout")
        if case .deflate(let level) = self.compression {
            try Self.check(level, in: 1...9, setting: "compression.level")
        }
    }

    private func checkSizes() throws {
        try Self.check(
            self.batching.maximumRequestBytes,
            in: (64 << 10)...(10 << 20),
            setting: "batching.maximumRequestBytes"
        )
        try Self.check(
            self.batching.targetBytes,
            in: (4 << 10)...(10 << 20),
            setting: "batching.targetBytes"
        )
        try Self.check(self.limits.maximumValueBytes, in: 256...(1 << 20), setting: "limits.maximumValueBytes")
        try Self.check(self.limits.maximumNesting, in: 0...32, setting: "limits.maximumNesting")
        try Self.check(
            self.limits.maximumRecordBytes,
            in: (32 << 10)...(10 << 20),
            setting: "limits.maximumRecordBytes"
        )
        guard self.recordRoom >= 32 << 10 else {
            throw ConfigurationError(
                setting: "tags",
                value: "\(self.tags.count) tags",
                rule: "tags take up so much of each request that no room for records is left",
                suggestion: "Shorten them, or raise batching.maximumRequestBytes."
            )
        }
    }

    /// The size that records are cut to, in bytes: what fits into a request, and into half of what the least severe level
    /// may fill of the memory.
    var largestRecord: Int {
        let share = SheddingPolicy().ceiling(rank: 0, limit: self.memoryLimit) / 2
        return min(self.limits.maximumRecordBytes, self.recordRoom, share)
    }

    /// The bytes that one record can have in a request whose topic and tags are as long as they get.
    var recordRoom: Int {
        // A byte takes up at most six in JSON.
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
        guard !range.contains(value) else { return }
        throw ConfigurationError(
            setting: setting,
            value: "\(value)",
            rule: "the value has to be from \(range.lowerBound) to \(range.upperBound)",
            suggestion: "Choose one in that range."
        )
    }
}
