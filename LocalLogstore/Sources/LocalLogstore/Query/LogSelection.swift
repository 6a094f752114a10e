// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Which logs a question is about.
public struct LogSelection: Sendable, Equatable {
    public var search = SearchExpression.all
    public var project: String?
    public var logstore: String?
    /// At this time or later, in microseconds since 1970. The time of a log is what it states, or that of its receipt.
    public var from: Int64?
    /// Before this time.
    public var until: Int64?

    public init(search: SearchExpression = .all, project: String? = nil, logstore: String? = nil) {
        self.search = search
        self.project = project
        self.logstore = logstore
    }

    func includes(time: Int64) -> Bool { time >= self.from ?? .min && time < self.until ?? .max }
}
