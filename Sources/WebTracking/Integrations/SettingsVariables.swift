// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration
@preconcurrency import WebTrackingPlatform

/// The environment variables of the process, as names of settings: a reader of swift-configuration cannot list them.
enum SettingsVariables {
    /// The variables of the process. Read once: a later `setenv` on another thread would change the list during the
    /// read.
    static let process: [String: String] = {
        var variables: [String: String] = [:]
        #if canImport(Darwin)
        let start = _NSGetEnviron().pointee
        #else
        let start = environ
        #endif
        guard var entry = Optional(start) else { return [:] }
        while let text = entry.pointee.map({ String(cString: $0) }) {
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return variables
    }()

    /// The name of a key's environment variable in swift-configuration, without a scope: `batching.lingerSeconds`
    /// becomes `BATCHING_LINGER_SECONDS`.
    static func encoded(_ key: String) -> String {
        var name = ""
        var isAfterLowercase = false
        for character in key {
            if character.isUppercase, isAfterLowercase { name.append("_") }
            isAfterLowercase = character.isLowercase
            name += character.isLetter || character.isNumber ? character.uppercased() : "_"
        }
        return name
    }

    private static let keys = Dictionary(SettingsKeys.all.keys.map { (encoded($0), $0) }) { first, _ in first }
    private static let groups = (SettingsKeys.groups + SettingsKeys.all.filter { $0.value == .pairs }.map(\.key))
        .map { encoded($0) + "_" }

    /// The origin of a value: the variable that has the same value, or `configuration`.
    static func origin(of key: String, in config: ConfigSnapshotReader, _ environment: [String: String]) -> String {
        Self.variable(of: key, in: config, environment).map { "variable \($0)" } ?? "configuration"
    }

    /// The variable that the reader's scope leads to for a key, if it has the value that the reader has.
    static func variable(
        of key: String,
        in config: ConfigSnapshotReader,
        _ environment: [String: String]
    ) -> String? {
        guard !environment.isEmpty, let scope = Self.scope(of: config),
            let value = config.string(forKey: ConfigKey(key), isSecret: true)
        else { return nil }
        let variable = scope + Self.encoded(key)
        return environment[variable] == value ? variable : nil
    }

    /// The prefix of the variables that a reader reads; `nil` if it reads none, or if the prefix is not known.
    ///
    /// swift-configuration shows a reader's scope and providers in its description only. This reads the form of version
    /// 1.4.0. For any other form the result is `nil`, and no variable is named.
    private static func scope(of config: ConfigSnapshotReader) -> String? {
        let description = "\(config)"
        guard description.hasPrefix("ConfigSnapshotReader["), description.hasSuffix("]"),
            let separator = description.firstRange(of: "providers: ")
        else { return nil }
        let providers = description[separator.upperBound...].dropLast().split(separator: ", ")
        guard providers.contains("EnvironmentVariablesProvider") else { return nil }
        let scope = description[..<separator.lowerBound].dropFirst("ConfigSnapshotReader[".count)
        guard !scope.isEmpty else { return "" }
        guard scope.hasPrefix("keyPrefix: "), scope.hasSuffix(", ") else { return nil }
        return Self.encoded("\(scope.dropFirst("keyPrefix: ".count).dropLast(2)).")
    }

    /// A variable in the reader's scope that is no key, but is spelled almost like one or stands in a group of keys.
    /// Ignores names such as `WEBTRACKING_SERVICE_HOST`, which Kubernetes sets for a service.
    static func misspelt(
        in config: ConfigSnapshotReader,
        _ environment: [String: String]
    ) -> (variable: String, suffix: String)? {
        let scope = Self.scope(of: config)
        for (variable, text) in environment.sorted(by: { $0.key < $1.key }) {
            for underscore in variable.indices where variable[underscore] == "_" {
                let suffix = String(variable[variable.index(after: underscore)...])
                guard !suffix.isEmpty, !text.isEmpty, scope.map({ variable == $0 + suffix }) ?? true,
                    Self.keys[suffix] == nil, Self.isNear(suffix),
                    // The reader has this value too, so the variable is in its scope, and it reads the environment.
                    config.string(forKey: ConfigKey(suffix), isSecret: true) == text
                else { continue }
                return (variable, suffix)
            }
        }
        return nil
    }

    private static func isNear(_ suffix: String) -> Bool {
        if Self.groups.contains(where: { suffix.hasPrefix($0) }) { return true }
        let bytes = Array(suffix.utf8)
        let limit = bytes.count >= 6 ? 2 : 1
        return Self.keys.keys.contains { name in
            abs(name.utf8.count - bytes.count) <= limit && EditDistance.between(bytes, Array(name.utf8)) <= limit
        }
    }

    /// A misspelt variable as a key, for an error: with a dot behind the group, and the rest unchanged.
    static func key(for suffix: String) -> String? {
        for group in SettingsKeys.groups + SettingsKeys.all.filter({ $0.value == .pairs }).map(\.key)
        where suffix.hasPrefix(Self.encoded(group) + "_") {
            return "\(group).\(suffix.dropFirst(Self.encoded(group).count + 1).lowercased())"
        }
        return suffix.lowercased()
    }
}

#endif
