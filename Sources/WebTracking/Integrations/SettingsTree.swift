// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

/// The settings of a file or a folder, after a check: every key is known, and every group is an object.
struct SettingsTree: Sendable {
    /// The values by key. Dots separate the parts of a key.
    private(set) var values: [String: JSONValue] = [:]
    /// The keys in the file, also those with a null value.
    private var keys: Set<String> = []
    /// The path of the file or folder.
    let origin: String
    /// Whether all values are texts, which stand for numbers and lists as in environment variables.
    let isText: Bool

    /// Reads a JSON text. Throws ``ConfigurationError`` if it is not JSON, or if a part of it would have no effect.
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
            throw self.fileError("it is not JSON at line \(line), column \(column)", "Correct the file.")
        }
        guard case .object(let members) = root else {
            throw self.fileError("a file of settings is one JSON object", "Write the keys in braces.")
        }
        let settings = try scope.map { try Self.member($0, of: members) } ?? root
        guard let settings else {
            throw self.fileError("it has no object \(scope ?? "") for the settings", "Add it.")
        }
        try self.add(settings, at: "")
    }

    /// Reads the files of a folder: the name of each is a key, and its text is the value, as in an environment
    /// variable.
    ///
    /// - Parameter isShared: Whether other programs may have files here too. Then a name that is a single word, such as
    ///   `source`, is not taken for a key outside of the scope.
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
                            rule: "the names of files begin with \(scope). here, so it would have no effect",
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
            try ConfigurationError.require(self.keys.insert(path).inserted, path, self.origin) {
                ("the key is there twice, so one of its values would have no effect", "Remove one of them.")
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

    /// The member at a path. One name may hold several parts of the path.
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
            rule: "it is a group of settings, so its value is an object",
            suggestion: "Write keys such as \(examples.joined(separator: " and "))."
        )
    }

    /// A value for an error: a short one as it is written, otherwise its shape; nothing of a secret one.
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
