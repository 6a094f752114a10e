// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Which topic a record belongs to.
///
/// Each topic is buffered and sent by itself, in its own requests and in order, so choose something of which there are
/// few: services or modules, not users or requests.
public enum TopicRule: Sendable, Equatable {
    /// Every record goes to this topic, which may be empty.
    case fixed(String)
    /// The logger's label.
    case label
    /// The first components of the logger's label, which are separated by dots.
    case labelPrefix(components: Int)
    /// The value of a metadata key, which then is not a field; `fallback` for records that do not have it.
    case metadata(key: String, fallback: String)

    /// The topic of a logger's records, if it does not depend on the record.
    func topic(label: String) -> String? {
        switch self {
        case .fixed(let topic): topic
        case .label: label
        case .labelPrefix(let count):
            label.split(separator: ".", omittingEmptySubsequences: false).prefix(count).joined(separator: ".")
        case .metadata: nil
        }
    }

    /// The topic of records that find no place in their own.
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
