// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// Finds the queue that a record belongs to.
struct TopicRouter: Sendable {
    /// Where a record goes. A class, since a handler's route would be copied for each record.
    final class Route: Sendable {
        let queue: any RecordQueue
        /// Metadata that stays among the fields although it would become topic or tags.
        let unpromoted: RecordEncoder.Unpromoted
        let repairs: RepairCounts

        init(queue: any RecordQueue, unpromoted: RecordEncoder.Unpromoted = .none, repairs: RepairCounts) {
            self.queue = queue
            self.unpromoted = unpromoted
            self.repairs = repairs
        }
    }

    let rule: TopicRule
    let promotedTags: [String]
    let table: any RecordQueues

    /// The metadata keys that do not become fields.
    var promotedKeys: [String] { self.promotedTags + (self.rule.key.map { [$0] } ?? []) }

    /// The route of all of a handler's records as long as there is room for its topic; `nil` if it depends on their metadata.
    func fixedRoute(label: String) -> Route? {
        guard self.promotedTags.isEmpty, let topic = self.rule.topic(label: label) else { return nil }
        var repairs = RepairCounts()
        let key = self.key(topic: topic, tags: [], &repairs)
        return Route(queue: self.table.futureQueue(for: key), repairs: repairs)
    }

    /// The route of one record, with the repairs that it had before. `value` looks up its metadata.
    func route(
        label: String,
        _ known: RepairCounts = RepairCounts(),
        value: (String) -> LogMetadataValue?
    ) -> Route {
        var repairs = known
        var unpromoted: [String] = []
        var tags: [TopicKey.Tag] = []
        var topic = self.rule.topic(label: label) ?? self.rule.base
        if let key = self.rule.key, let value = value(key) {
            if let text = MetadataText.leaf(value) {
                topic = text
                // The rest of a topic that is cut is not lost: the value stays a field too.
                if text.utf8.count > TopicKey.maximumTopicBytes { unpromoted.append(key) }
            } else {
                unpromoted.append(key)
            }
        }
        for key in self.promotedTags {
            guard let value = value(key) else { continue }
            if let text = MetadataText.leaf(value), text.utf8.count <= TopicKey.maximumTagBytes {
                tags.append(.init(key: key, value: text))
            } else {
                unpromoted.append(key)
            }
        }
        let key = self.key(topic: topic, tags: tags, &repairs)
        let isCut = repairs[.longTopic] > 0
        repairs[.unpromotable] += unpromoted.count - (isCut && self.rule.key != nil ? 1 : 0)
        guard let queue = self.table.queue(for: key) else {
            repairs[.topicOverflow] += 1
            return Route(queue: self.table.baseQueue, unpromoted: .all, repairs: repairs)
        }
        return Route(queue: queue, unpromoted: unpromoted.isEmpty ? .none : .keys(unpromoted), repairs: repairs)
    }

    private func key(topic: String, tags: [TopicKey.Tag], _ repairs: inout RepairCounts) -> TopicKey {
        let cut = topic.prefix(utf8Bytes: TopicKey.maximumTopicBytes)
        if cut.utf8.count < topic.utf8.count { repairs[.longTopic] += 1 }
        return TopicKey(topic: cut, tags: tags)
    }
}
