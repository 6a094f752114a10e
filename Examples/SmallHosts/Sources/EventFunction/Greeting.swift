// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging

/// The function itself; it does not know that it is flushed.
struct Greeting {
    private let logger = Logger(label: "greeting")

    /// Answers one event.
    func answer(to line: String) -> Answer {
        let event: Event
        do {
            event = try JSONDecoder().decode(Event.self, from: Data(line.utf8))
        } catch {
            self.logger.error("event not understood", error: error)
            return Answer(error: "the event is not an object with id and name")
        }
        var logger = self.logger
        logger[metadataKey: "invocation.id"] = "\(event.id)"
        logger.info("invocation started")
        let text = "Hello, \(event.name)"
        logger.info("invocation finished", metadata: ["letters": "\(text.count)"])
        return Answer(id: event.id, text: text)
    }
}

/// What the function is asked.
struct Event: Decodable {
    var id: String
    var name: String
}

/// What it answers.
struct Answer: Encodable {
    var id: String?
    var text: String?
    var error: String?
    /// What became of the logs, for whoever watches the function.
    var logs: Logs?

    struct Logs: Encodable {
        var delivered: Int
        var waiting: Int
    }

    /// The answer as a line of JSON.
    var line: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try encoder.encode(self) + Data("\n".utf8)
        }
    }
}
