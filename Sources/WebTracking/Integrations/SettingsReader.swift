// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration

#if SwiftLog
import Logging
#endif

/// Reads values of one scope of a configuration, from the first of several layers that has them.
///
/// A reader of swift-configuration returns `nil` for a value of another type, as it does for a key that is not set.
/// This type throws an error that names the key instead, so that an ignored value is not mistaken for one in force.
struct SettingsReader {
    /// Where settings come from.
    enum Layer: Sendable {
        case config(ConfigSnapshotReader)
        case tree(SettingsTree)
    }

    /// The keys that were read so far, with the form of their values, and the origins of the values that were found.
    final class Audit {
        fileprivate(set) var asked: [String: SettingsKeys.Form] = [:]
        /// The keys that are secret.
        fileprivate(set) var secrets: Set<String> = []
        fileprivate(set) var origins: [String: String] = [:]
    }

    let layers: [Layer]
    let audit: Audit
    /// The environment of the process, for the origins of values.
    private let environment: [String: String]
    private let scope: String

    init(_ layers: [Layer], environment: [String: String] = [:]) {
        self.init(layers, environment, Audit(), scope: "")
    }

    private init(_ layers: [Layer], _ environment: [String: String], _ audit: Audit, scope: String) {
        self.layers = layers
        self.environment = environment
        self.audit = audit
        self.scope = scope
    }

    func scoped(to name: String) -> SettingsReader {
        SettingsReader(self.layers, self.environment, self.audit, scope: "\(self.scope)\(name).")
    }

    // MARK: Values

    /// A text. Errors show nothing of a secret one. With `emptyIsNone`, an empty text in a JSON file counts as not set.
    func text(_ key: String, isSecret: Bool = false, emptyIsNone: Bool = false) throws -> String? {
        try self.first(key, .text, isSecret: isSecret, rule: "the value is a text") { config, name in
            config.string(forKey: name, isSecret: isSecret).map { .value($0) }
        } tree: { value, _ in
            if case .string(let text) = value { emptyIsNone && text.isEmpty ? .unset : .value(text) } else { nil }
        }
    }

    /// The text of a key that has to be set.
    func required(_ key: String) throws -> String {
        if let text = try self.text(key) { return text }
        // With a single reader, throw that reader's own error.
        if self.layers.count == 1, case .config(let config) = self.layers[0] {
            return try config.requiredString(forKey: ConfigKey(self.scope + key))
        }
        throw ConfigurationError(
            setting: self.scope + key,
            value: "",
            rule: "it must be set",
            suggestion: "Set the key \(self.scope + key)."
        )
    }

    /// Texts without the space around them, and without those that are empty then. If all are empty, the key counts as
    /// not set.
    func texts(_ key: String) throws -> [String]? {
        try self.first(key, .texts, rule: "the value is an array of texts") { config, name in
            config.stringArray(forKey: name).map(Self.items)
        } tree: { value, isText in
            Self.texts(value, isText: isText).map(Self.items)
        }
    }

    /// Pairs of texts: an array of `name=value`, or in a file also an object.
    ///
    /// - Parameter separator: Finds the equals sign that ends the name.
    func pairs(
        _ key: String,
        rule: String,
        at separator: (String) -> String.Index?
    ) throws -> [(name: String, value: String)]? {
        func split(_ items: [String]) throws -> Found<[(name: String, value: String)]> {
            guard case .value(let items) = Self.items(items) else { return .unset }
            return .value(
                try items.map { item in
                    guard let equals = separator(item) else { throw self.error(key, item, rule) }
                    return (item[..<equals].trimmed, item[item.index(after: equals)...].trimmed)
                }
            )
        }
        let rule = "the value is an array of texts, or an object of them: \(rule)"
        return try self.first(key, .pairs, rule: rule) { config, name in
            try config.stringArray(forKey: name).map(split)
        } tree: { value, isText in
            guard case .object(let members) = value else { return try Self.texts(value, isText: isText).map(split) }
            return .value(
                try members.map { name, value in
                    guard case .string(let text) = value else {
                        throw self.error("\(key).\(name)", SettingsTree.shown(value), "the value is a text")
                    }
                    return (name, text)
                }
            )
        }
    }

    func flag(_ key: String) throws -> Bool? {
        try self.first(key, .flag, rule: "the value is true or false") { config, name in
            config.bool(forKey: name).map { .value($0) }
        } tree: { value, isText in
            switch value {
            case .bool(let flag): return .value(flag)
            case .string(let text) where isText:
                switch text.lowercased() {
                case "true", "yes", "1": return .value(true)
                case "false", "no", "0": return .value(false)
                default: return nil
                }
            default: return nil
            }
        }
    }

    func number(_ key: String) throws -> Int? {
        try self.first(key, .number, rule: "the value is a whole number") { config, name in
            config.int(forKey: name).map { .value($0) }
        } tree: { value, isText in
            // JSON may write a whole number as 1e6 or 2.0.
            SettingsTree.number(value, isText: isText).flatMap { Int($0) ?? Double($0).flatMap(Int.init(exactly:)) }
                .map { .value($0) }
        }
    }

    func duration(_ key: String) throws -> Duration? {
        let rule = "a duration is a number of seconds"
        let found: Double? = try self.first(key, .seconds, rule: rule) { config, name in
            // swift-configuration gives no double for a value that is stored as an integer.
            (config.double(forKey: name) ?? config.int(forKey: name).map(Double.init)).map { .value($0) }
        } tree: { value, isText in
            SettingsTree.number(value, isText: isText).flatMap(Double.init).map { .value($0) }
        }
        guard let seconds = found else { return nil }
        // `Duration.seconds` traps on a number beyond its range.
        guard seconds.isFinite, abs(seconds) < 1e9 else { throw self.error(key, "\(seconds)", rule) }
        return .seconds(seconds)
    }

    func level(_ key: String) throws -> LogLevel? {
        try self.text(key).map { try self.level($0, of: key) }
    }

    func level(_ text: String, of key: String) throws -> LogLevel {
        guard let level = LogLevel(rawValue: text) else {
            throw self.error(key, text, "a level is trace, debug, info, notice, warning, error or critical")
        }
        return level
    }

    func read(_ key: String, into value: inout String) throws { value = try self.text(key) ?? value }
    func read(_ key: String, into value: inout [String]) throws { value = try self.texts(key) ?? value }
    func read(_ key: String, into value: inout Bool) throws { value = try self.flag(key) ?? value }
    func read(_ key: String, into value: inout Int) throws { value = try self.number(key) ?? value }
    func read(_ key: String, into value: inout Duration) throws { value = try self.duration(key) ?? value }

    func error(_ key: String, _ value: String, _ rule: String) -> ConfigurationError {
        let key = self.scope + key
        return ConfigurationError(
            setting: key,
            // An address with credentials may stand under any key, so mask them here too.
            value: value.withoutCredentials,
            rule: rule,
            suggestion: "Change the key \(key)."
        )
    }

    // MARK: Keys that should not be set

    /// Whether a value of a key was found. Ask only after the key was read.
    func isSet(_ key: String) -> Bool { self.audit.origins[self.scope + key] != nil }

    /// Throws if a key is set, to any value.
    func refuse(_ key: String, isSecret: Bool = false, rule: String, form: SettingsKeys.Form? = nil) throws {
        if let form { self.audit.asked[self.scope + key] = form }
        for layer in self.layers { try self.refuse(key, in: layer, isSecret: isSecret, rule: rule) }
    }

    private func refuse(_ key: String, in layer: Layer, isSecret: Bool, rule: String) throws {
        let name = self.scope + key
        guard !Self.isEmpty(name, in: layer) else { return }
        let value =
            switch layer {
            case .config(let config): Self.shown(name, in: config, isSecret: isSecret)
            case .tree(let tree): tree.values[name].map { SettingsTree.shown($0) }
            }
        guard let value else { return }
        throw self.error(key, isSecret ? Redaction.masked : value, rule)
    }

    /// A value of any type; `nil` if the key is not set.
    static func shown(_ name: String, in config: ConfigSnapshotReader, isSecret: Bool) -> String? {
        let key = ConfigKey(name)
        if let value = config.string(forKey: key, isSecret: isSecret) { return value }
        if let value = config.int(forKey: key, isSecret: isSecret) { return "\(value)" }
        if let value = config.double(forKey: key, isSecret: isSecret) { return "\(value)" }
        if let value = config.bool(forKey: key, isSecret: isSecret) { return "\(value)" }
        if let value = config.stringArray(forKey: key, isSecret: isSecret) { return "\(value)" }
        if let value = config.intArray(forKey: key, isSecret: isSecret) { return "\(value)" }
        if let value = config.doubleArray(forKey: key, isSecret: isSecret) { return "\(value)" }
        if let value = config.boolArray(forKey: key, isSecret: isSecret) { return "\(value)" }
        return config.bytes(forKey: key, isSecret: isSecret) == nil ? nil : "bytes"
    }

    // MARK: Looking a key up

    /// What a layer has for a key, in the form that the caller asked for.
    private enum Found<Value> {
        case value(Value)
        /// The key is there, and its value means "not set".
        case unset
    }

    private func first<Value>(
        _ key: String,
        _ form: SettingsKeys.Form,
        isSecret: Bool = false,
        rule: String,
        config: (ConfigSnapshotReader, ConfigKey) throws -> Found<Value>?,
        tree: (JSONValue, _ isText: Bool) throws -> Found<Value>?
    ) throws -> Value? {
        let name = self.scope + key
        self.audit.asked[name] = form
        if isSecret { self.audit.secrets.insert(name) }
        for layer in self.layers where !Self.isEmpty(name, in: layer) {
            let found: Found<Value>?
            let origin: String
            switch layer {
            case .config(let reader):
                found = try config(reader, ConfigKey(name))
                origin = found == nil ? "" : SettingsVariables.origin(of: name, in: reader, self.environment)
            case .tree(let settings):
                found = try settings.values[name].flatMap { try tree($0, settings.isText) }
                origin = settings.origin
            }
            switch found {
            case .value(let value)?:
                self.audit.origins[name] = origin
                return value
            case .unset?: break
            case nil: try self.refuse(key, in: layer, isSecret: isSecret, rule: rule)
            }
        }
        return nil
    }

    /// Whether the value of a key in a layer of texts is nothing but space. An environment variable or a file in a
    /// folder cannot be "not set" in a clearer way.
    private static func isEmpty(_ name: String, in layer: Layer) -> Bool {
        switch layer {
        // Ask as for a secret, as it may be one: swift-configuration then keeps the value out of its logs.
        case .config(let config): config.string(forKey: ConfigKey(name), isSecret: true)?.trimmed.isEmpty == true
        case .tree(let tree):
            if tree.isText, case .string(let text)? = tree.values[name] { text.isEmpty } else { false }
        }
    }

    private static func items(_ texts: [String]) -> Found<[String]> {
        let items = texts.map(\.trimmed).filter { !$0.isEmpty }
        return items.isEmpty && !texts.isEmpty ? .unset : .value(items)
    }

    private static func texts(_ value: JSONValue, isText: Bool) -> [String]? {
        switch value {
        case .string(let text) where isText:
            return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        case .array(let elements):
            var texts: [String] = []
            for element in elements {
                guard case .string(let text) = element else { return nil }
                texts.append(text)
            }
            return texts
        default: return nil
        }
    }
}

extension StringProtocol {
    /// The text without the space around it.
    var trimmed: String {
        guard let first = self.firstIndex(where: { !$0.isWhitespace }),
            let last = self.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(self[first...last])
    }
}

#endif
