// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A change of a record so that PutWebtracking accepts it. Each is counted in ``WebTrackingStatistics/repaired``.
///
/// Repairs are deterministic: the same event always gives the same fields. The field mapping guide lists them.
public enum RepairKind: String, Sendable, CaseIterable {
    /// A metadata key was empty and became `_`.
    case emptyKey = "empty_key"
    /// A metadata key is reserved by the service, and got `field.` in front.
    case forbiddenKey = "forbidden_key"
    /// A metadata key was longer than 128 bytes, and was cut. A hash of the whole key is at its end.
    case longKey = "long_key"
    /// Two values had the same field name, and one of them got a number at its end.
    case collidingKey = "colliding_key"
    /// A value was longer than the limit (1 MiB), and was cut. The number of bytes left out is at its end. Or a label
    /// was longer than 1024 bytes, and was cut.
    case longValue = "long_value"
    /// A value was nested too deep. The deepest part of it became JSON text.
    case deepValue = "deep_value"
    /// A record was larger than the limit for records. Its long values were cut until it fitted.
    case oversizeRecord = "oversize_record"
    /// A topic from metadata or a label was longer than 128 bytes, and was cut.
    case longTopic = "long_topic"
    /// A metadata value that should become a tag stayed a field, because it is a container, or longer than a tag may
    /// be.
    case unpromotable = "unpromotable"
    /// A record stayed in the base topic, because the limit of topics was reached.
    case topicOverflow = "topic_overflow"
    /// A record was logged by a metadata provider, a description or a redaction function, while that computed a part of
    /// another record. It has no metadata of the provider. If it was nested deeper, it has no metadata at all, and no
    /// error.
    case nested
}

/// Counts of repairs by kind.
package typealias RepairCounts = CaseCounts<RepairKind, Int>
