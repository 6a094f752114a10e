// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if SwiftLog
import Logging
#endif

/// A ``Redaction`` in a form that can be applied to each record quickly.
final class Redactor: Sendable {
    /// A rule that does not depend on the key alone.
    private struct Rule: Sendable {
        enum Test: Sendable {
            case attribute(@Sendable (LogMetadataValue) -> Bool)
            case function(RedactionFunction)
        }

        /// The rule's place among all rules.
        let place: Int
        let test: Test
    }

    /// The action of each rule, the most important rule first.
    private let actions: [Redaction.Action]
    /// The rules that are not among the patterns.
    private let rules: [Rule]
    /// The names that keys are compared with; `nil` if no rule goes by the key.
    let patterns: KeyPatterns?
    private let pseudonymKey: PseudonymKey?
    /// Whether there are rules at all.
    let isActive: Bool
    /// Whether a value's key is not enough to decide: there are functions.
    let hasFunctions: Bool
    /// The type of values with attributes, if there are rules for those.
    private let carrier: ObjectIdentifier?
    /// Identifies this redactor's results.
    let identity: UInt64
    private let total: RedactionCount

    private static let lastIdentity = Atomic<UInt64>(0)

    init(_ redaction: Redaction, count: RedactionCount) {
        var names: [(name: String, isSuffix: Bool, rule: Int)] = []
        var hasFunctions = false
        var carrier: ObjectIdentifier?
        self.actions = redaction.rules.map(\.action)
        self.rules = redaction.rules.enumerated().compactMap { place, rule in
            switch rule.kind {
            case .key(let name):
                names.append((name, false, place))
                return nil
            case .suffix(let name):
                names.append((name, true, place))
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
        self.patterns = names.isEmpty ? nil : KeyPatterns(names)
        self.pseudonymKey = redaction.pseudonymKey
        self.isActive = !redaction.rules.isEmpty
        self.hasFunctions = hasFunctions
        self.carrier = carrier
        // Relaxed: it only has to differ from all others, and guards no memory.
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

    /// The action for a value that is not a container.
    ///
    /// - Parameter byKey: The first of the rules by key that matches.
    @inline(__always)
    func action(_ key: String, rule byKey: Int, _ leaf: inout LeafText) -> Redaction.Action {
        // A string has no attributes.
        if leaf.isString && !self.hasFunctions { return byKey == KeyPatterns.noRule ? .keep : self.actions[byKey] }
        for rule in self.rules {
            if byKey < rule.place { break }
            switch rule.test {
            case .attribute(let isOn):
                if isOn(leaf.value) { return self.actions[rule.place] }
            case .function(let function):
                if let action = function.decide(key, leaf.text) { return action }
            }
        }
        return byKey == KeyPatterns.noRule ? .keep : self.actions[byKey]
    }

    /// A value as it may leave the process, for one record.
    ///
    /// - Parameters:
    ///   - described: What the value's description was, if it has been asked for already.
    ///   - nesting: Dictionaries nested deeper become JSON text, which is cut a number of levels below that.
    func redacted(
        _ key: String,
        _ value: LogMetadataValue,
        described: String? = nil,
        nesting: Int
    ) -> RedactedValue {
        var redactions = 0
        let redacted: LogMetadataValue?
        switch value {
        case .dictionary, .array:
            var path = NestedKey(key, patterns: self.patterns)
            redacted = self.redacted(&path, value, Depth(nesting: nesting), redactions: &redactions)
        case .string, .stringConvertible:
            var leaf = LeafText(value, described: described)
            let rule = self.patterns?.firstRule(for: key) ?? KeyPatterns.noRule
            redacted = self.redacted(&leaf, rule: rule, redactions: &redactions) { key }
        }
        return RedactedValue(value: redacted, redactions: redactions)
    }

    /// Counts values that were changed.
    func count(_ number: Int) { self.total.add(number) }

    /// Where a value lies in what it is a part of.
    private struct Depth {
        /// How many more dictionaries become fields.
        var nesting: Int
        /// How many more levels are written out of what is JSON text; `nil` where that has not begun.
        var levels: Int?

        init(nesting: Int) { self.nesting = nesting }

        /// Below a value, which is an array or not.
        func below(isArray: Bool) -> Depth {
            var below = self
            below.nesting -= 1
            if let levels = self.levels {
                below.levels = levels - 1
            } else if isArray || self.nesting <= 0 {
                below.levels = MetadataText.deepest - 1
            }
            return below
        }
    }

    private func redacted(
        _ key: inout NestedKey,
        _ value: LogMetadataValue,
        _ depth: Depth,
        redactions: inout Int
    ) -> LogMetadataValue? {
        // A value that is not written out is not redacted either.
        if let levels = depth.levels, levels <= 0 { return .string(MetadataText.leftOut) }
        switch value {
        case .dictionary(let values):
            let below = depth.below(isArray: false)
            var kept: LogMetadata = [:]
            for (name, value) in values {
                let level = self.isActive ? key.enter(name) : nil
                if let value = self.redacted(&key, value, below, redactions: &redactions) { kept[name] = value }
                if let level { key.leave(to: level) }
            }
            return kept.isEmpty && !values.isEmpty ? nil : .dictionary(kept)
        case .array(let values):
            let below = depth.below(isArray: true)
            var kept: [LogMetadataValue] = []
            for value in values {
                if let value = self.redacted(&key, value, below, redactions: &redactions) { kept.append(value) }
            }
            return kept.isEmpty && !values.isEmpty ? nil : .array(kept)
        case .string, .stringConvertible:
            var leaf = LeafText(value)
            return self.redacted(&leaf, rule: key.rule, redactions: &redactions) { key.text }
        }
    }

    /// - Parameter key: The whole key, which only functions are given.
    private func redacted(
        _ leaf: inout LeafText,
        rule: Int,
        redactions: inout Int,
        key: () -> String
    ) -> LogMetadataValue? {
        let action =
            self.isActive ? self.action(self.hasFunctions ? key() : "", rule: rule, &leaf) : Redaction.Action.keep
        if action != .keep { redactions += 1 }
        switch action {
        case .keep: return .string(leaf.text)
        case .mask: return .string(Redaction.masked)
        case .drop: return nil
        // Checked at set-up; without a key nothing of the value may be seen.
        case .pseudonym: return .string(self.pseudonymKey.map { $0.pseudonym(of: leaf.text) } ?? Redaction.masked)
        }
    }

    /// Writes what an action makes of a value that is not a container, where that needs no escape; `false` if nothing is
    /// left of it, or all of it.
    func append(_ action: Redaction.Action, of leaf: inout LeafText, to writer: inout ByteWriter) -> Bool {
        switch action {
        case .keep, .drop:
            return false
        case .pseudonym:
            if let key = self.pseudonymKey {
                key.appendPseudonym(of: leaf.text, to: &writer)
                return true
            }
            fallthrough
        case .mask:
            writer.append(literal: Redaction.maskedText)
            return true
        }
    }
}

/// A value as it may leave the process, for one record. Its descriptions were asked for once, and the rules have seen
/// exactly these.
struct RedactedValue: Sendable {
    /// Strings, dictionaries and arrays only; `nil` if the value is left out.
    var value: LogMetadataValue?
    /// How many values in it were changed.
    var redactions: Int
}

/// The text of a value that is not a container. Its description is computed once, and only if it is needed.
struct LeafText {
    let value: LogMetadataValue
    /// The description, if it has been asked for.
    private(set) var described: String?

    init(_ value: LogMetadataValue, described: String? = nil) {
        self.value = value
        self.described = described
    }

    var isString: Bool { if case .string = self.value { true } else { false } }

    var text: String {
        mutating get {
            switch self.value {
            case .string(let text): return text
            case .dictionary, .array: return ""
            case .stringConvertible(let value):
                if let described = self.described { return described }
                let text = value.description
                self.described = text
                return text
            }
        }
    }
}

/// How many values a producer has redacted, by all redactors that it has had.
final class RedactionCount: Sendable {
    private let count = Atomic<Int>(0)

    func add(_ number: Int) { self.count.add(number, ordering: .relaxed) }

    var total: Int { self.count.load(ordering: .relaxed) }
}
