//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Synchronization

#if SwiftLog
import Logging
#endif

/// A ``Redaction``, ready to be asked for each record.
final class Redactor: Sendable {
    /// A rule that does not go by the key alone.
    private struct Rule: Sendable {
        enum Test: Sendable {
            case attribute(@Sendable (LogMetadataValue) -> Bool)
            case function(RedactionFunction)
        }

        /// The rule's place among all rules.
        let place: Int
        let test: Test
    }

    /// What each rule does, the most important first.
    private let actions: [Redaction.Action]
    /// The rules that are not among the patterns.
    private let rules: [Rule]
    /// What keys are compared with quickly; `nil` if no rule goes by the key.
    let patterns: KeyPatterns?
    private let pseudonymKey: PseudonymKey?
    /// Whether there are rules at all.
    let isActive: Bool
    /// Whether a value's key does not tell enough: there are functions.
    let hasFunctions: Bool
    /// The type of values with attributes, if there are rules for those.
    private let carrier: ObjectIdentifier?
    /// Tells this redactor's work from that of others.
    let identity: UInt64
    private let total: RedactionCount

    private static let lastIdentity = Atomic<UInt64>(0)

    init(_ redaction: Redaction, count: RedactionCount) {
        var patterns: [KeyPatterns.Pattern] = []
        var hasFunctions = false
        var carrier: ObjectIdentifier?
        self.actions = redaction.rules.map(\.action)
        self.rules = redaction.rules.enumerated().compactMap { place, rule in
            switch rule.kind {
            case .key(let name):
                patterns.append(KeyPatterns.Pattern(name, isSuffix: false, rule: place))
                return nil
            case .suffix(let name):
                patterns.append(KeyPatterns.Pattern(name, isSuffix: true, rule: place))
                return nil
            #if SwiftLog
            case .attribute(_, _, let isOn):
                if case .stringConvertible(let value) = LogMetadataValue.attributed("", attributes: []) {
                    carrier = Self.type(of: value)
                }
                return Rule(place: place, test: .attribute(isOn))
            #endif
            case .function(let function):
                hasFunctions = true
                return Rule(place: place, test: .function(function))
            }
        }
        self.patterns = patterns.isEmpty ? nil : KeyPatterns(patterns)
        self.pseudonymKey = redaction.pseudonymKey
        self.isActive = !redaction.rules.isEmpty
        self.hasFunctions = hasFunctions
        self.carrier = carrier
        self.identity = Self.lastIdentity.add(1, ordering: .relaxed).newValue
        self.total = count
    }

    /// Whether a value may have attributes; `false` is certain. They are carried by a type of swift-log's own.
    @inline(__always)
    func mayHaveAttributes(_ value: borrowing any CustomStringConvertible & Sendable) -> Bool {
        self.carrier == Self.type(of: value)
    }

    @inline(__always)
    private static func type(of value: borrowing any CustomStringConvertible & Sendable) -> ObjectIdentifier {
        ObjectIdentifier(Swift.type(of: copy value))
    }

    /// What happens to a value that is not a container.
    func action(_ key: String, _ value: LogMetadataValue) -> Redaction.Action {
        let byKey = self.patterns.flatMap { patterns in key.withBytes { patterns.firstRule(for: $0) } }
        for rule in self.rules {
            if let byKey, byKey < rule.place { break }
            switch rule.test {
            case .attribute(let isOn):
                if isOn(value) { return self.actions[rule.place] }
            case .function(let function):
                if let action = function.decide(key, MetadataText.leaf(value) ?? "") { return action }
            }
        }
        return byKey.map { self.actions[$0] } ?? .keep
    }

    /// The metadata as it may leave the process.
    ///
    /// - Parameter counts: Whether the values are counted that are changed; not for those that were before.
    func redacted(_ metadata: LogMetadata, counts: Bool = true) -> LogMetadata {
        guard self.isActive else { return metadata }
        return self.redacted(metadata, under: nil, depth: 0, counts: counts)
    }

    /// One value as it may leave the process; `nil` if it may not at all.
    func redacted(_ key: String, _ value: LogMetadataValue, counts: Bool = true) -> LogMetadataValue? {
        guard self.isActive else { return value }
        return self.redacted(key, value, depth: 0, counts: counts)
    }

    /// A value that is made ready once, for records to come, and whether it is changed; whoever uses it counts that.
    func ready(_ key: String, _ value: LogMetadataValue) -> (value: LogMetadataValue?, isRedacted: Bool) {
        guard self.isActive, MetadataText.leaf(value) != nil else { return (value, false) }
        let action = self.action(key, value)
        return (self.carriedOut(action, value), action != .keep)
    }

    /// Counts values that were changed.
    func count(_ number: Int) { self.total.add(number) }

    /// A text as it may leave the process; `nil` if it may not at all.
    func redacted(_ key: String, text: String, counts: Bool = true) -> String? {
        guard self.isActive else { return text }
        return self.redacted(key, .string(text), depth: 0, counts: counts).flatMap(MetadataText.leaf)
    }

    private func redacted(_ metadata: LogMetadata, under prefix: String?, depth: Int, counts: Bool) -> LogMetadata {
        var result = metadata
        for (key, value) in metadata {
            // A prefix can be empty: a key may be.
            let path = prefix.map { "\($0).\(key)" } ?? key
            result[key] = self.redacted(path, value, depth: depth, counts: counts)
        }
        return result
    }

    private func redacted(_ key: String, _ value: LogMetadataValue, depth: Int, counts: Bool) -> LogMetadataValue? {
        switch value {
        case .dictionary, .array:
            // What is nested deeper than anything that is written out is not looked through, but left out as a whole.
            guard depth <= MetadataText.deepest else { return .string("\u{2026}") }
            if case .dictionary(let values) = value {
                let kept = self.redacted(values, under: key, depth: depth + 1, counts: counts)
                return kept.isEmpty && !values.isEmpty ? nil : .dictionary(kept)
            }
            guard case .array(let values) = value else { return nil }
            let kept = values.compactMap { self.redacted(key, $0, depth: depth + 1, counts: counts) }
            return kept.isEmpty && !values.isEmpty ? nil : .array(kept)
        case .string, .stringConvertible:
            let action = self.action(key, value)
            if counts && action != .keep { self.count(1) }
            return self.carriedOut(action, value)
        }
    }

    /// Writes what an action makes of a value that is not a container, where that needs no escape; `false` if nothing is
    /// left of it, or all of it.
    func append(_ action: Redaction.Action, of value: LogMetadataValue, to writer: inout ByteWriter) -> Bool {
        switch action {
        case .keep, .drop:
            return false
        case .pseudonym:
            if let key = self.pseudonymKey {
                key.appendPseudonym(of: MetadataText.leaf(value) ?? "", to: &writer)
                return true
            }
            fallthrough
        case .mask:
            writer.append(literal: Redaction.maskedText)
            return true
        }
    }

    private func carriedOut(_ action: Redaction.Action, _ value: LogMetadataValue) -> LogMetadataValue? {
        switch action {
        case .keep: value
        case .mask: .string(Redaction.masked)
        case .drop: nil
        // Checked at set-up; without a key nothing of the value may be seen.
        case .pseudonym:
            .string(self.pseudonymKey.map { $0.pseudonym(of: MetadataText.leaf(value) ?? "") } ?? Redaction.masked)
        }
    }
}

/// How many values a producer has redacted, by all redactors that it has had.
final class RedactionCount: Sendable {
    private let count = Atomic<Int>(0)

    func add(_ number: Int) { self.count.add(number, ordering: .relaxed) }

    var total: Int { self.count.load(ordering: .relaxed) }
}
