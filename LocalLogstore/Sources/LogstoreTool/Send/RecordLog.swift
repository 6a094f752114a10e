// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging
import WebTracking

/// Logs records through a producer, at their own times and with their own labels.
struct RecordLog {
    private let producer: WebTrackingProducer
    private let handler: WebTrackingLogHandler
    /// Of the labels that records have.
    private var handlers: [String: WebTrackingLogHandler] = [:]

    /// - Parameter label: That of records that have none.
    init(_ producer: WebTrackingProducer, label: String) {
        self.producer = producer
        self.handler = producer.makeLogHandler(label: label)
    }

    mutating func log(_ record: OutgoingRecord) {
        let event = LogEvent(
            level: record.level,
            message: "\(record.message)",
            metadata: record.metadata,
            source: "",
            file: "",
            function: "",
            line: 0
        )
        let handler = self.handler(for: record.label)
        if let time = record.time {
            EventClock.$eventTime.withValue(time) { handler.log(event: event) }
        } else {
            handler.log(event: event)
        }
    }

    private mutating func handler(for label: String?) -> WebTrackingLogHandler {
        guard let label else { return self.handler }
        if let handler = self.handlers[label] { return handler }
        // Loggers have few labels; where every line has another one, none of them comes back.
        if self.handlers.count >= 1000 { self.handlers = [:] }
        let handler = self.producer.makeLogHandler(label: label)
        self.handlers[label] = handler
        return handler
    }
}
