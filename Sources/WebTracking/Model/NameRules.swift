// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The service's rules for the names of projects, logstores, topics, sources and tags.
enum NameRules {
    static func checkProject(_ name: String) throws {
        try self.check(
            name,
            setting: "project",
            lengths: 3...63,
            extra: [UInt8(ascii: "-")],
            rule:
                "a project name has 3 to 63 lower-case letters, digits and hyphens, and begins and ends with a letter or digit"
        )
    }

    static func checkLogstore(_ name: String) throws {
        try self.check(
            name,
            setting: "logstore",
            lengths: 2...63,
            extra: [UInt8(ascii: "-"), UInt8(ascii: "_")],
            rule:
                "a logstore name has 2 to 63 lower-case letters, digits, hyphens and underscores, and begins and ends with a letter or digit"
        )
    }

    private static func check(
        _ name: String,
        setting: String,
        lengths: ClosedRange<Int>,
        extra: [UInt8],
        rule: String
    ) throws {
        func isPlain(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
        let bytes = Array(name.utf8)
        let suggestion = "Copy the name from the service's console."
        guard lengths.contains(bytes.count), bytes.allSatisfy({ isPlain($0) || extra.contains($0) }),
            let first = bytes.first, let last = bytes.last, isPlain(first), isPlain(last)
        else {
            throw ConfigurationError(
                setting: setting,
                value: name.withoutCredentials,
                rule: rule,
                suggestion: suggestion
            )
        }
    }

    static func checkTopic(_ topic: String) throws {
        try ConfigurationError.require(topic.utf8.count <= TopicKey.maximumTopicBytes, "topic", topic) {
            (
                "a topic has at most 128 bytes of UTF-8, and this one has \(topic.utf8.count)",
                "Shorten it, or leave it empty."
            )
        }
    }

    static func checkSource(_ source: String) throws {
        try ConfigurationError.require(source.utf8.count <= 128, "source", source) {
            (
                "a source has at most 128 bytes of UTF-8, and this one has \(source.utf8.count)",
                "Shorten it, or leave it out to send the host name."
            )
        }
    }

    static func checkKey(_ key: String, setting: String) throws {
        try ConfigurationError.require((1...FieldName.maximumBytes).contains(key.utf8.count), setting, key) {
            (
                "a key has 1 to 128 bytes of UTF-8, and this one has \(key.utf8.count)",
                "Choose a shorter key that is not empty."
            )
        }
        try ConfigurationError.require(!FieldName.isForbidden(key), setting, key) {
            ("the service keeps this name for itself", "Choose a name that does not begin with an underscore.")
        }
    }
}
