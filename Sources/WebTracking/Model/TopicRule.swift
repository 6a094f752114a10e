// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Decides the topic of a record.
///
/// Each topic has its own queue, and its own requests in order. So choose something that has few values: services or
/// modules, not users or requests.
public enum TopicRule: Sendable, Equatable {
    /// Every record has this topic. It may be empty.
    case fixed(String)
    /// The logger's label is the topic.
    case label
    /// The first components of the logger's label are the topic. Dots separate components.
    case labelPrefix(components: Int)
    /// The value of a metadata key is the topic, and is not a field then. Records without the key get `fallback`.
    case metadata(key: String, fallback: String)

    /// The topic of a logger's records; `nil` if it depends on the record.
    func topic(label: String) -> String? {
        switch self {
        case .fixed(let topic): topic
        case .label: label
        case .labelPrefix(let count):
            label.split(separator: ".", omittingEmptySubsequences: false).prefix(count).joined(separator: ".")
        case .metadata: nil
        }
    }

    /// The topic of records that find no place in their own topic.
    package var base: String {
        switch self {
        case .fixed(let topic): topic
        case .label, .labelPrefix: ""
        case .metadata(_, let fallback): fallback
        }
    }

    /// The metadata key that the topic is taken from.
    var key: String? {
        if case .metadata(let key, _) = self { key } else { nil }
    }
}
