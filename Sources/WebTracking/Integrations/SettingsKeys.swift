// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration

/// All keys, and the wrong names that people write for them.
enum SettingsKeys {
    /// The form of a key's value.
    enum Form: Sendable {
        case text, texts, pairs, flag, number, seconds
    }

    /// All keys: those that are read when a configuration is read, so that there is no second list to keep up to date.
    static let all: [String: Form] = audited.asked

    private static let audited: (asked: [String: Form], secrets: Set<String>) = {
        let reader = SettingsReader([])
        var configuration = WebTrackingConfiguration(endpoint: "", project: "", logstore: "")
        // Nothing is set, so no value can be wrong. Only the required keys throw.
        for key in ["endpoint", "project", "logstore"] { _ = try? reader.required(key) }
        try? configuration.read(reader)
        return (reader.audit.asked, reader.audit.secrets)
    }()

    /// Whether a group has a secret key. Then a value in the group's place may be that secret.
    static func hasSecret(_ group: String) -> Bool { Self.audited.secrets.contains { $0.hasPrefix("\(group).") } }

    /// The groups of keys, such as `redaction`.
    static let groups: [String] = {
        var groups: Set<String> = []
        for key in all.keys {
            if let dot = key.lastIndex(of: ".") { groups.insert(String(key[..<dot])) }
        }
        return groups.sorted()
    }()

    /// Names that people write by mistake, and the keys that they mean: the unit is missing, `max` for `maximum`,
    /// singular for plural, another spelling of the words, an object in place of a list, the name of the setting, and
    /// in redaction's keys a typo. A reader of swift-configuration cannot list its keys, but it can be asked for these.
    static let mistakes: [(name: String, key: String)] = {
        var names: [(name: String, key: String)] = [("logLevelOverrides", "logLevels"), (Self.keyless, "spool")]
        for (key, form) in all.sorted(by: { $0.key < $1.key }) {
            names += [Self.spelled(key, "_"), Self.spelled(key, "-"), key.lowercased()].map { ($0, key) }
            if key.hasPrefix("redaction.") { names += Self.typos(key).map { ($0, key) } }
            if key.hasSuffix("Seconds") {
                let stem = String(key.dropLast("Seconds".count))
                names += [(stem, key), ("\(stem)Milliseconds", key)]
            }
            if let short = Self.shortened(key) { names.append((short, key)) }
            guard form == .texts || form == .pairs else { continue }
            names.append((key.hasSuffix("s") ? String(key.dropLast()) : "\(key)s", key))
            let children =
                switch key {
                case "tags", "promotedTags":
                    ["app", "env", "environment", "host", "instance", "region", "service", "team", "version", "zone"]
                case "logLevels":
                    ["api", "app", "client", "database", "db", "default", "http", "main", "root", "server", "web"]
                default: ["email", "mail", "name", "password", "phone", "token", "user"]
                }
            names += children.map { ("\(key).\($0)", key) }
        }
        return names.filter { all[$0.name] == nil }
    }()

    /// The one setting that has no key.
    private static let keyless = "spool.isRescue"

    /// A key in lower case, with a separator between its words.
    private static func spelled(_ key: String, _ separator: Character) -> String {
        key.reduce(into: "") { name, character in
            if character.isUppercase, name.last?.isLowercase == true { name.append(separator) }
            name += character.lowercased()
        }
    }

    /// A key with one letter of its last part missing, or with two letters swapped.
    private static func typos(_ key: String) -> Set<String> {
        let letters = Array(key)
        let start = (letters.lastIndex(of: ".") ?? -1) + 1
        var typos: Set<String> = []
        for place in start..<letters.count {
            typos.insert(String(letters[..<place] + letters[(place + 1)...]))
            guard place > start else { continue }
            var other = letters
            other.swapAt(place - 1, place)
            typos.insert(String(other))
        }
        return typos
    }

    private static func shortened(_ key: String) -> String? {
        let components = key.split(separator: ".")
        guard let last = components.last, last.hasPrefix("maximum") else { return nil }
        return (components.dropLast().map(String.init) + ["max" + last.dropFirst("maximum".count)]).joined(
            separator: "."
        )
    }

    /// The error for a name that is not a key.
    static func misspelt(_ name: String, in origin: String) -> ConfigurationError {
        let nearest = Self.nearest(to: name)
        let parent = name.lastIndex(of: ".").map { String(name[..<$0]) }
        let suggestion =
            if name == Self.keyless {
                "Remove it: only a program can set it."
            } else if let parent, let form = Self.all[parent] {
                form == .pairs
                    ? "Write \(parent) as an array of name=value." : "Write \(parent) as \(Self.described(form))."
            } else if let nearest {
                "Did you mean \(nearest)?"
            } else {
                "Remove it, or look the name up in the guide."
            }
        return ConfigurationError(
            setting: name,
            value: origin,
            rule: "there is no setting of this name, so it would have no effect",
            suggestion: suggestion
        )
    }

    private static func described(_ form: Form) -> String {
        switch form {
        case .text: "a text"
        case .texts: "an array of texts"
        case .pairs: "an array of name=value"
        case .flag: "true or false"
        case .number: "a whole number"
        case .seconds: "a number of seconds"
        }
    }

    /// The key that is most likely meant; `nil` if none is similar.
    static func nearest(to name: String) -> String? {
        if name == "logLevelOverrides" { return "logLevels" }
        func last(_ key: String) -> String { key.split(separator: ".").last.map(String.init) ?? key }
        func plain(_ key: String) -> [UInt8] {
            key.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
        }
        let whole = plain(name)
        let end = plain(last(name))
        var best: (key: String, distance: Int)?
        for key in Self.all.keys.sorted() + Self.groups {
            let own = plain(key)
            var distance = EditDistance.between(whole, own)
            // The right name in the wrong group, or without its unit.
            if !end.isEmpty { distance = min(distance, EditDistance.between(end, plain(last(key))) + 2) }
            if own.starts(with: whole) { distance = min(distance, 2) }
            if distance < best?.distance ?? max(3, whole.count / 3 + 1) { best = (key, distance) }
        }
        return best?.key
    }
}

/// The number of edits that make one name of another: insert, delete or replace a letter, or swap two neighbours.
enum EditDistance {
    static func between(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in 0..<left.count {
            var row = [i + 1]
            row.reserveCapacity(right.count + 1)
            for j in 0..<right.count {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[right.count]
    }
}

extension SettingsReader {
    /// Throws if a misspelt name is set, as far as a reader can be asked for it. Files and folders were checked when
    /// they were read.
    ///
    /// - Parameter environment: The variables of the process.
    func refuseMisspelt(_ environment: [String: String]) throws {
        for case .config(let config) in self.layers {
            for group in SettingsKeys.groups {
                // An empty variable counts as not set. The value may be a secret, so the error does not show it.
                guard let value = Self.shown(group, in: config, isSecret: true), !value.isEmpty else { continue }
                throw SettingsTree.groupError(group, value: Redaction.masked)
            }
            for (name, key) in SettingsKeys.mistakes {
                guard Self.isSet(name, in: config), !Self.isVariable(of: key, called: name, in: config) else {
                    continue
                }
                let variable = SettingsVariables.variable(of: name, in: config, environment)
                var error = SettingsKeys.misspelt(name, in: variable ?? "configuration")
                if !name.hasPrefix("\(key).") { error.suggestion = "Did you mean \(key)?" }
                throw error
            }
            if let name = SettingsVariables.misspelt(in: config, environment) {
                throw SettingsKeys.misspelt(SettingsVariables.key(for: name.suffix) ?? name.suffix, in: name.variable)
            }
        }
    }

    private static func isSet(_ name: String, in config: ConfigSnapshotReader) -> Bool {
        let key = ConfigKey(name)
        if let text = config.string(forKey: key, isSecret: true) { return !text.isEmpty }
        return config.double(forKey: key, isSecret: true) != nil || config.int(forKey: key, isSecret: true) != nil
            || config.bool(forKey: key, isSecret: true) != nil || config.stringArray(forKey: key, isSecret: true) != nil
    }

    /// Whether another spelling of a key is set only because the environment has one variable for both spellings.
    private static func isVariable(of key: String, called name: String, in config: ConfigSnapshotReader) -> Bool {
        guard SettingsVariables.encoded(name) == SettingsVariables.encoded(key),
            let text = config.string(forKey: ConfigKey(name), isSecret: true)
        else { return false }
        return config.string(forKey: ConfigKey(key), isSecret: true) == text
    }
}

#endif
