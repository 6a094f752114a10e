// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import WebTracking

/// One configuration and what is logged under it, as the oracle wrote it down. What is absent has its default.
struct Case: Decodable {
    /// Where records go: `fixed`, `label`, `prefix`, `metadata`.
    struct Topic: Decodable {
        var kind: String
        var name: String?
        var components: Int?
    }

    /// A rule of redaction: `key`, `suffix` or one of the driver's own functions.
    struct Rule: Decodable {
        var kind: String
        var name: String?
        var action: String
    }

    struct Rate: Decodable {
        var first: Int
        var thenOneIn: Int?
    }

    /// What is done, one after the other.
    struct Step: Decodable {
        var record: Record?
        var flush: Bool?
        /// Time that passes on the wall's clock alone.
        var nanoseconds: Int64?
        /// Time that passes on all clocks.
        var silence: Int64?
        /// How many records of the library's own there are in all at the end of the silence.
        var reported: Int?
        /// Another redaction from now on.
        var rules: [Rule]?
        /// Another sampling from now on.
        var rates: [String: Rate]?
    }

    struct Record: Decodable {
        var level: String
        var label: String
        var message: String
        var handler: Value?
        var provider: Value?
        var event: Value?
        var error: String?
        var source: String?
        var file: String
        var function: String
        var line: UInt
    }

    var source: String
    var tags: [[String]]
    var topic: Topic
    var promotedTags: [String]
    var maximumTopics: Int?
    var fields: [String: String]
    var excludes: [String]
    var limits: [String: Int]
    var standard: Bool
    var rules: [Rule]
    var pseudonymKey: String?
    var rates: [String: Rate]
    var folded: [String]
    var compression: String
    var time: Int64
    var steps: [Step]
}

/// A value of metadata: a text, `["c", text]` for one that is asked for its description, `["t", texts…]` for one whose
/// description is another each time, `["l", values…]`, or `["d", [key, value]…]`, so that no decoder takes two keys for one.
struct Value: Decodable {
    var value: LogMetadataValue

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self.value = .string(text)
            return
        }
        var list = try decoder.unkeyedContainer()
        switch try list.decode(String.self) {
        case "c":
            self.value = .stringConvertible(Described(description: try list.decode(String.self)))
        case "t":
            var texts: [String] = []
            while !list.isAtEnd { texts.append(try list.decode(String.self)) }
            self.value = .stringConvertible(Turncoat(texts))
        case "l":
            var values: [LogMetadataValue] = []
            while !list.isAtEnd { values.append(try list.decode(Value.self).value) }
            self.value = .array(values)
        case let kind:
            guard kind == "d" else { throw DriverError(description: "a value of kind \(kind)") }
            var values: LogMetadata = [:]
            while !list.isAtEnd {
                var pair = try list.nestedUnkeyedContainer()
                let key = try pair.decode(String.self)
                values[key] = try pair.decode(Value.self).value
            }
            self.value = .dictionary(values)
        }
    }

    /// The named values of a layer.
    var layer: LogMetadata {
        if case .dictionary(let values) = self.value { values } else { [:] }
    }
}

/// A value that is asked for its description.
struct Described: CustomStringConvertible {
    var description: String
}

/// A value that describes itself in another way each time, and stays with the last.
final class Turncoat: CustomStringConvertible, Sendable {
    private let texts: [String]
    private let asked = Atomic(0)

    init(_ texts: [String]) {
        self.texts = texts
    }

    var description: String {
        let times = self.asked.wrappingAdd(1, ordering: .relaxed).oldValue
        return self.texts[min(times, self.texts.count - 1)]
    }
}

/// What the driver cannot do, and what records are about.
struct DriverError: Error, CustomStringConvertible {
    var description: String
}
