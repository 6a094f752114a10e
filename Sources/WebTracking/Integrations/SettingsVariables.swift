// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if Configuration

import Configuration

#if canImport(Darwin)
@preconcurrency import Darwin
#elseif canImport(Glibc)
@preconcurrency import Glibc
#elseif canImport(Musl)
@preconcurrency import Musl
#endif

/// The environment variables of the process as names of settings: what a reader of swift-configuration cannot list.
enum SettingsVariables {
    /// The variables of the process. Read once: another thread may be changing them later.
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

    /// A key as swift-configuration's environment variables have it, without a scope: `batching.lingerSeconds` is
    /// `BATCHING_LINGER_SECONDS`.
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

    /// Where a reader has the value of a key from: the variable that its scope leads to, if that has the same value, or a
    /// configuration.
    static func origin(of key: String, in config: ConfigSnapshotReader, _ environment: [String: String]) -> String {
        guard !environment.isEmpty, let scope = Self.scope(of: config),
            let value = config.string(forKey: ConfigKey(key), isSecret: true)
        else { return "configuration" }
        let variable = scope + Self.encoded(key)
        return environment[variable] == value ? "variable \(variable)" : "configuration"
    }

    /// What the variables begin with that a reader looks at; `nil` if it looks at none, or nobody can say how they begin.
    ///
    /// swift-configuration tells a reader's scope and providers by its description only, here of version 1.4.0. What is
    /// written in another way is not understood, and then no variable is named.
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

    /// A variable that is in the reader's scope, is no key, and is written so nearly like one that it is meant to be one, or
    /// stands in a group of them. A name such as `WEBTRACKING_SERVICE_HOST`, which Kubernetes sets beside a service, is let be.
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
                    // In the scope, and from the environment: otherwise it is not what the reader says.
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

    /// What a misspelt variable is called as a key, for an error: the group in dots, the rest as it is.
    static func key(for suffix: String) -> String? {
        for group in SettingsKeys.groups + SettingsKeys.all.filter({ $0.value == .pairs }).map(\.key)
        where suffix.hasPrefix(Self.encoded(group) + "_") {
            return "\(group).\(suffix.dropFirst(Self.encoded(group).count + 1).lowercased())"
        }
        return suffix.lowercased()
    }
}

#endif
