// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

@testable import WebTracking

/// What the guide says of redaction, done in the plainest way: rule by rule, on whole texts, with no table in front.
struct RedactionOracle {
    enum Rule {
        case key(String, Redaction.Action)
        case suffix(String, Redaction.Action)
        case function(@Sendable (String, String) -> Redaction.Action?)
    }

    let rules: [Rule]
    let pseudonymKey: PseudonymKey?

    init(rules: [Rule], pseudonymKey: PseudonymKey?) {
        self.rules = rules
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
        for rule in self.rules {
            switch rule {
            case .key(let name, let action): if Self.matches(name, key, isSuffix: false) { return action }
            case .suffix(let ending, let action): if Self.matches(ending, key, isSuffix: true) { return action }
            case .function(let decide): if let action = decide(key, text) { return action }
            }
        }
        return .keep
    }

    /// Tries every place where the name may begin and end.
    private static func matches(_ name: String, _ key: String, isSuffix: Bool) -> Bool {
        let key = Array(KeyFolding.folded(key).utf8)
        let isWhole = name.utf8.contains(UInt8(ascii: "."))
        // A name with dots is for all that the key holds, too.
        let ends = (0...key.count).filter { $0 == key.count || key[$0] == UInt8(ascii: ".") }
        return ends.contains { end in
            var part = key[..<end]
            if !(name.utf8.last { $0 != 0x2D && $0 != 0x5F }.map { (0x30...0x39).contains($0) } ?? false) {
                while let last = part.last, (0x30...0x39).contains(last) { part.removeLast() }
            }
            return (0...part.count).contains { start in
                guard start == 0 || isSuffix || !isWhole && part[start - 1] == UInt8(ascii: ".") else { return false }
                return self.isName(part[start...], Array(name.utf8), isWhole: isWhole)
            }
        }
    }

    /// Whether the text is the name, with its hyphens and underscores where it likes, and dots between the name's words.
    private static func isName(_ text: ArraySlice<UInt8>, _ name: [UInt8], isWhole: Bool) -> Bool {
        func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") }
        let letters = self.plain(name)
        var words: Set<Int> = []
        for place in name.indices.dropFirst() where isSeparator(name[place - 1]) && !isSeparator(name[place]) {
            words.insert(self.plain(name[..<place]).count)
        }
        var done = 0
        for byte in text where !isSeparator(byte) {
            if byte == UInt8(ascii: "."), !isWhole {
                guard done > 0, words.contains(done) else { return false }
            } else {
                guard done < letters.count, letters[done] == byte else { return false }
                done += 1
            }
        }
        return done == letters.count
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
