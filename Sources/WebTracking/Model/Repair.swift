// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What was changed in a record so that PutWebtracking takes it; each is counted in ``WebTrackingStatistics/repaired``.
///
/// The repairs are deterministic: the same event gives the same fields. The field mapping guide lists them.
public enum RepairKind: String, Sendable, CaseIterable {
    /// A metadata key was empty and became `_`.
    case emptyKey = "empty_key"
    /// A metadata key is reserved by the service and was put behind `field.`.
    case forbiddenKey = "forbidden_key"
    /// A metadata key was longer than 128 bytes and was cut, with a hash of the whole key at its end.
    case longKey = "long_key"
    /// Two values claimed one field name, and one of them got a number behind its name.
    case collidingKey = "colliding_key"
    /// A value was longer than the limit (1 MiB) and was cut, with the number of bytes left out at its end; or a label was
    /// longer than 1024 bytes and was cut.
    case longValue = "long_value"
    /// A value was nested too deeply and became JSON text from there on.
    case deepValue = "deep_value"
    /// A record was larger than the record limit and its long values were cut until it fitted.
    case oversizeRecord = "oversize_record"
    /// A topic taken from metadata or a label was longer than 128 bytes and was cut.
    case longTopic = "long_topic"
    /// A metadata value that should become a tag stayed a field, as it is a container, or longer than a tag may be.
    case unpromotable = "unpromotable"
    /// A record stayed in the base topic because the bound on live topics was reached.
    case topicOverflow = "topic_overflow"
    /// A record that a metadata provider, a description or a redaction function logged while it was asked for a part of
    /// another record went without the provider's metadata; one that was nested deeper, without any and without its error.
    case nested
}

/// One count for each ``RepairKind``, held in place.
package struct RepairCounts: Sendable, Equatable {
    // Empty until something is repaired, which is the usual case.
    private var counts: [Int] = []

    package init() {}

    package subscript(kind: RepairKind) -> Int {
        get { self.counts.isEmpty ? 0 : self.counts[kind.index] }
        set {
            if self.counts.isEmpty {
                guard newValue != 0 else { return }
                self.counts = Array(repeating: 0, count: RepairKind.allCases.count)
            }
            self.counts[kind.index] = newValue
        }
    }

    package var isEmpty: Bool { self.counts.isEmpty }

    package static func += (left: inout RepairCounts, right: RepairCounts) {
        guard !right.isEmpty else { return }
        for kind in RepairKind.allCases { left[kind] += right[kind] }
    }

    /// The counts that are not zero.
    package var byKind: [RepairKind: Int] {
        var result: [RepairKind: Int] = [:]
        for kind in RepairKind.allCases where self[kind] != 0 { result[kind] = self[kind] }
        return result
    }
}

extension RepairKind {
    fileprivate var index: Int {
        switch self {
        case .emptyKey: 0
        case .forbiddenKey: 1
        case .longKey: 2
        case .collidingKey: 3
        case .longValue: 4
        case .deepValue: 5
        case .oversizeRecord: 6
        case .longTopic: 7
        case .unpromotable: 8
        case .topicOverflow: 9
        case .nested: 10
        }
    }
}
