// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation

/// Which stored logs to read. Conditions that are `nil` or empty do not restrict.
public struct LogQuery: Sendable, Equatable {
    /// The order of the result.
    public enum Order: Sendable {
        case arrival
        case newestFirst
    }

    public var project: String?
    public var logstore: String?
    public var topic: String?
    /// What the logs have to match besides.
    public var search = SearchExpression.all
    /// Of this time or later, by what the logs state, or by their receipt if they state nothing.
    public var since: Date?
    /// Received at this time or later.
    public var from: Date?
    /// Received before this time.
    public var until: Date?
    /// Fields that a log must have, with exactly these values; under the names of queries, as `__tag__:env`.
    public var fields: [Field] = []
    public var order: Order = .arrival
    /// At most this many logs.
    public var limit: Int?

    public init(logstore: String? = nil, topic: String? = nil) {
        self.logstore = logstore
        self.topic = topic
    }

    /// The same in the terms of a search, but for the times of receipt, the order and the limit.
    public var selection: LogSelection {
        var search = self.search
        if let topic = self.topic { search = search.and(.exact(.topic, topic)) }
        for field in self.fields { search = search.and(.exact(FieldName(field.name), field.value)) }
        var selection = LogSelection(search: search, project: self.project, logstore: self.logstore)
        selection.from = self.since?.microseconds
        return selection
    }
}
