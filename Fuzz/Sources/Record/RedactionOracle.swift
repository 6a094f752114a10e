//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

@testable import WebTracking

/// What the guide says of redaction, done in the plainest way: rule by rule, on whole texts, with no table in front.
struct RedactionOracle {
    enum Rule {
        case key(String, Redaction.Action)
        case suffix(String, Redaction.Action)
        case function(@Sendable (String, String) -> Redaction.Action?)
    }

    let rules: [Rule]
    /// The rules' names as they are compared.
    private let names: [[UInt8]]
    let pseudonymKey: PseudonymKey?

    init(rules: [Rule], pseudonymKey: PseudonymKey?) {
        self.rules = rules
        self.names = rules.map { rule in
            switch rule {
            case .key(let name, _), .suffix(let name, _): Self.plain(name.utf8)
            case .function: []
            }
        }
        self.pseudonymKey = pseudonymKey
    }

    var redaction: Redaction {
        let rules = self.rules.map { rule -> RedactionRule in
            switch rule {
            case .key(let name, let action): .key(name, action)
            case .suffix(let ending, let action): .suffix(ending, action)
            case .function(let decide): .function(decide)
            }
        }
        return Redaction(rules: rules, pseudonymKey: self.pseudonymKey)
    }

    /// What is masked if nobody says otherwise.
    static let standard = RedactionOracle(
        rules: Redaction.standardSuffixes.map { .suffix($0, .mask) } + Redaction.standardKeys.map { .key($0, .mask) },
        pseudonymKey: nil
    )

    /// Each action, by key, ending and function, with rules that outrank others.
    static let varied = RedactionOracle(
        rules: [
            .key("token.kept", .keep), .key("mail", .pseudonym), .suffix("body", .drop), .suffix("t.b", .drop),
            .function { key, value in
                if key == "z" { return value.utf8.count % 2 == 0 ? .drop : .mask }
                return value.isEmpty && key.utf8.first == UInt8(ascii: "a") ? .pseudonym : nil
            },
            .key("error.message", .pseudonym), .suffix("b_2", .drop),
        ] + Self.standard.rules,
        pseudonymKey: PseudonymKey(bytes: Array(0..<16))
    )

    /// The metadata as it may leave, and how many values are changed.
    func redacted(_ metadata: LogMetadata, nesting: Int) -> (metadata: LogMetadata, changed: Int) {
        var changed = 0
        guard !self.rules.isEmpty else { return (metadata, 0) }
        var result: LogMetadata = [:]
        for (key, value) in metadata { result[key] = self.redacted(key, value, path: 1, nesting, json: nil, &changed) }
        return (result, changed)
    }

    /// - Parameters:
    ///   - path: How many keys lead to the value.
    ///   - json: How many levels down in JSON text the value is; `nil` outside.
    private func redacted(
        _ key: String,
        _ value: LogMetadataValue,
        path: Int,
        _ nesting: Int,
        json: Int?,
        _ changed: inout Int
    ) -> LogMetadataValue? {
        if let json, json >= MetadataText.deepest { return "\u{2026}" }
        switch value {
        case .dictionary(let values):
            let below = json.map { $0 + 1 } ?? (path > nesting ? 1 : nil)
            var kept: LogMetadata = [:]
            for (name, value) in values {
                kept[name] = self.redacted("\(key).\(name)", value, path: path + 1, nesting, json: below, &changed)
            }
            return kept.isEmpty && !values.isEmpty ? nil : .dictionary(kept)
        case .array(let values):
            var kept: [LogMetadataValue] = []
            for value in values {
                let below = (json ?? 0) + 1
                if let value = self.redacted(key, value, path: path + 1, nesting, json: below, &changed) {
                    kept.append(value)
                }
            }
            return kept.isEmpty && !values.isEmpty ? nil : .array(kept)
        case .string(let text):
            return self.redacted(key, text: text, &changed).map { .string($0) }
        case .stringConvertible(let value):
            return self.redacted(key, text: value.description, &changed).map { .string($0) }
        }
    }

    /// A text as it may leave; `nil` if it may not.
    func redacted(_ key: String, text: String, _ changed: inout Int) -> String? {
        let action = self.action(key, text)
        changed += action == .keep ? 0 : 1
        switch action {
        case .keep: return text
        case .mask: return "[redacted]"
        case .drop: return nil
        case .pseudonym: return self.pseudonymKey?.pseudonym(of: text) ?? "[redacted]"
        }
    }

    /// What the first rule says that has an answer.
    private func action(_ key: String, _ text: String) -> Redaction.Action {
        let whole = [Self.plain(key.utf8)]
        let parts = key.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Self.plain)
        for (rule, name) in zip(self.rules, self.names) {
            // A name with dots is for the whole key.
            let places = name.contains(UInt8(ascii: ".")) ? whole : parts
            switch rule {
            case .key(_, let action): if places.contains(name) { return action }
            case .suffix(_, let action):
                if places.contains(where: { $0.count >= name.count && $0.suffix(name.count).elementsEqual(name) }) {
                    return action
                }
            case .function(let decide): if let action = decide(key, text) { return action }
            }
        }
        return .keep
    }

    /// In lower case, without hyphens and underscores.
    private static func plain(_ text: some Sequence<UInt8>) -> [UInt8] {
        text.compactMap { byte in
            switch byte {
            case UInt8(ascii: "-"), UInt8(ascii: "_"): nil
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
            default: byte
            }
        }
    }
}
