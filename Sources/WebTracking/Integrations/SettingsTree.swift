// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

/// Settings from a file or a folder, looked through: there is no key that nobody asks for, and no group that is a value.
struct SettingsTree: Sendable {
    /// By key, with dots between its parts.
    private(set) var values: [String: JSONValue] = [:]
    /// The keys that are there, also those that say that they are not set.
    private var keys: Set<String> = []
    /// The path that it was read from.
    let origin: String
    /// Whether all values are texts, which stand for numbers and lists as those of variables do.
    let isText: Bool

    /// Reads a JSON text. Throws ``ConfigurationError`` for what is no JSON, and for what would have no effect.
    ///
    /// - Parameter scope: The object in which the settings are, with dots for objects in objects; `nil` for the whole.
    init(json bytes: [UInt8], scope: String?, origin: String) throws {
        self.origin = origin
        self.isText = false
        let root: JSONValue
        do {
            root = try JSONValue.parse(bytes)
        } catch let error as JSONValue.ParseError {
            let before = bytes.prefix(error.offset)
            let line = before.count { $0 == 0x0A } + 1
            let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
            throw self.fileError("it is no JSON at line \(line), column \(column)", "Mend the file.")
        }
        guard case .object(let members) = root else {
            throw self.fileError("a file of settings is one JSON object", "Write the keys in braces.")
        }
        let settings = try scope.map { try Self.member($0, of: members) } ?? root
        guard let settings else {
            throw self.fileError("it has no object \(scope ?? ""), in which the settings are to be", "Add it.")
        }
        try self.add(settings, at: "")
    }

    /// Reads the files of a folder: each has the name of a key, and its value as in a variable.
    ///
    /// - Parameter isShared: Whether names that are a single word, such as `source`, are somebody else's.
    init(files: [WebTrackingSettingsFile.Contents.Entry], scope: String?, isShared: Bool, origin: String) throws {
        self.origin = origin
        self.isText = true
        let names = Set(files.map(\.name))
        for file in files {
            var key = file.name[...]
            if let scope {
                guard file.name.hasPrefix("\(scope).") else {
                    let isMeant = SettingsKeys.all[file.name] != nil && (!isShared || file.name.contains("."))
                    guard !isMeant || names.contains("\(scope).\(file.name)") else {
                        throw ConfigurationError(
                            setting: file.name,
                            value: origin,
                            rule: "names begin with \(scope). here, so it would have no effect",
                            suggestion:
                                "Call the file \(scope).\(file.name). If another program needs this one, add that beside it."
                        )
                    }
                    continue
                }
                key = key.dropFirst(scope.count + 1)
            }
            guard SettingsKeys.all[String(key)] != nil else { throw SettingsKeys.misspelt(String(key), in: origin) }
            self.values[String(key)] = .string(file.text.trimmed)
        }
    }

    private func fileError(_ rule: String, _ suggestion: String) -> ConfigurationError {
        ConfigurationError(setting: "file", value: self.origin, rule: rule, suggestion: suggestion)
    }

    private mutating func add(_ value: JSONValue, at path: String) throws {
        if SettingsKeys.all[path] != nil {
            guard self.keys.insert(path).inserted else {
                throw ConfigurationError(
                    setting: path,
                    value: self.origin,
                    rule: "the key is there twice, so one of its values would have no effect",
                    suggestion: "Remove one of them."
                )
            }
            if case .null = value { return }
            self.values[path] = value
        } else if path.isEmpty || SettingsKeys.groups.contains(path) {
            if case .null = value { return }
            guard case .object(let members) = value else {
                throw Self.groupError(path, value: Self.shown(value, isSecret: SettingsKeys.hasSecret(path)))
            }
            for (name, value) in members { try self.add(value, at: path.isEmpty ? name : "\(path).\(name)") }
        } else {
            throw SettingsKeys.misspelt(path, in: self.origin)
        }
    }

    /// The member at a path; its parts may be written as one name.
    private static func member(_ path: String, of members: [(name: String, value: JSONValue)]) throws -> JSONValue? {
        for (name, value) in members {
            if name == path { return value }
            guard path.hasPrefix("\(name)."), case .object(let inner) = value else { continue }
            if let found = try Self.member(String(path.dropFirst(name.count + 1)), of: inner) { return found }
        }
        return nil
    }

    static func groupError(_ group: String, value: String) -> ConfigurationError {
        let examples = SettingsKeys.all.keys.filter { $0.hasPrefix("\(group).") }.sorted().prefix(2)
        return ConfigurationError(
            setting: group.isEmpty ? "file" : group,
            value: value.withoutCredentials,
            rule: "settings stand in it, so it is an object",
            suggestion: "Write keys such as \(examples.joined(separator: " and "))."
        )
    }

    /// A value for an error: a short one as it is written, or its shape; nothing of a secret one.
    static func shown(_ value: JSONValue, isSecret: Bool = false) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .number where isSecret, .string where isSecret: Redaction.masked
        case .number(let digits): digits
        case .string(let text): text
        case .array: "an array"
        case .object: "an object"
        }
    }

    static func number(_ value: JSONValue, isText: Bool) -> String? {
        switch value {
        case .number(let digits): digits
        case .string(let text) where isText: text
        default: nil
        }
    }
}

#endif
