//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if Configuration

import Configuration

#if SwiftLog
import Logging
#endif

/// Reads values of one scope of a configuration.
///
/// A reader says `nil` for a value of another type, as for a key that is not set. Here that is an error that names the key:
/// nobody should believe that a value is in force which is not even looked at.
struct SettingsReader {
    private let config: ConfigSnapshotReader
    private let scope: String

    init(_ config: ConfigSnapshotReader) {
        self.init(config, scope: "")
    }

    private init(_ config: ConfigSnapshotReader, scope: String) {
        self.config = config
        self.scope = scope
    }

    func scoped(to name: String) -> SettingsReader {
        SettingsReader(self.config.scoped(to: ConfigKey(name)), scope: "\(self.scope)\(name).")
    }

    /// A text; nothing of a secret one is shown.
    func text(_ key: String, isSecret: Bool = false) throws -> String? {
        if let value = self.config.string(forKey: ConfigKey(key), isSecret: isSecret) { return value }
        try self.refuse(key, isSecret: isSecret, rule: "the value is a text")
        return nil
    }

    func texts(_ key: String) throws -> [String]? {
        if let value = self.config.stringArray(forKey: ConfigKey(key)) { return value }
        try self.refuse(key, rule: "the value is an array of texts")
        return nil
    }

    func flag(_ key: String) throws -> Bool? {
        if let value = self.config.bool(forKey: ConfigKey(key)) { return value }
        try self.refuse(key, rule: "the value is true or false")
        return nil
    }

    func number(_ key: String) throws -> Int? {
        if let value = self.config.int(forKey: ConfigKey(key)) { return value }
        try self.refuse(key, rule: "the value is a whole number")
        return nil
    }

    func duration(_ key: String) throws -> Duration? {
        let rule = "a duration is a number of seconds"
        let name = ConfigKey(key)
        guard let seconds = self.config.double(forKey: name) ?? self.config.int(forKey: name).map(Double.init) else {
            try self.refuse(key, rule: rule)
            return nil
        }
        // A duration traps on what it cannot hold.
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
        return ConfigurationError(setting: key, value: value, rule: rule, mend: "Change the key \(key).")
    }

    /// Throws for a key that is set, to whatever it is.
    func refuse(_ key: String, isSecret: Bool = false, rule: String) throws {
        let name = ConfigKey(key)
        guard let value = self.shown(name, isSecret: isSecret) else { return }
        throw self.error(key, isSecret ? Redactor.masked : value, rule)
    }

    /// A value of any type; `nil` if the key is not set.
    private func shown(_ key: ConfigKey, isSecret: Bool) -> String? {
        let config = self.config
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
}

#endif
