// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A key of metadata with the keys of the dictionaries around it, for redaction's rules.
///
/// It grows by a key on the way into a dictionary, and shrinks on the way out: what has been looked at for a dictionary's own
/// key is not looked at again for each key in it.
struct NestedKey {
    /// How much there was before a key was added.
    struct Level {
        fileprivate var bytes: Int
        fileprivate var parts: Int
        fileprivate var isASCII: Bool
        fileprivate var rule: Int
    }

    private let patterns: KeyPatterns?
    private var names: [String] = []
    /// The names with dots between them, and their letters beyond ASCII in lower case.
    private var bytes: [UInt8] = []
    /// The parts between the dots, if there are patterns for those.
    private var parts: [KeyPart] = []
    private var isASCII = true
    /// The first rule that is for the key, or for a part of it.
    private(set) var rule = KeyPatterns.noRule

    init(_ name: String, patterns: KeyPatterns?) {
        self.patterns = patterns
        _ = self.enter(name)
    }

    /// The whole key.
    var text: String { self.names.joined(separator: ".") }

    /// Adds the key of something inside.
    mutating func enter(_ name: String) -> Level {
        let level = Level(bytes: self.bytes.count, parts: self.parts.count, isASCII: self.isASCII, rule: self.rule)
        let isFirst = self.names.isEmpty
        self.names.append(name)
        guard let patterns = self.patterns else { return level }
        if !isFirst { self.bytes.append(UInt8(ascii: ".")) }
        let start = self.bytes.count
        var folded = name
        if !name.utf8.allSatisfy({ $0 < 0x80 }) {
            folded = KeyFolding.folded(name)
            self.isASCII = false
        }
        self.bytes.append(contentsOf: folded.utf8)
        self.rule = self.bytes.withUnsafeBytes { patterns.firstRule(for: $0, from: start, before: self.rule) }
        guard patterns.hasOthers else { return level }
        self.parts += KeyFolding.parts(of: folded)
        // A key in ASCII is never one of those.
        if !self.isASCII { self.rule = patterns.firstRule(for: self.parts, from: level.parts, before: self.rule) }
        return level
    }

    /// Takes away what was added since.
    mutating func leave(to level: Level) {
        self.names.removeLast()
        self.bytes.removeSubrange(level.bytes...)
        self.parts.removeSubrange(level.parts...)
        self.isASCII = level.isASCII
        self.rule = level.rule
    }
}
