// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// When two keys are the same to redaction's rules, beyond ASCII: if they are canonically equivalent, as strings are to the
/// standard library, once each scalar is in lower case.
///
/// Scalar by scalar, so that the same key is the same in every place and language: `ß` is not `SS`, a final `ς` is not `σ`,
/// and `ı` is not `I`.
enum KeyFolding {
    /// A key in lower case.
    static func folded(_ key: String) -> String {
        var folded = ""
        for scalar in key.unicodeScalars {
            switch scalar.value {
            // Letters of ASCII in another dress; the Kelvin sign's lower case is one.
            case 0x037E: folded.unicodeScalars.append(";")
            case 0x1FEF: folded.unicodeScalars.append("`")
            default: folded += scalar.properties.lowercaseMapping
            }
        }
        return folded
    }

    /// What stands between the dots of a folded key, as it is compared.
    static func parts(of folded: String) -> [KeyPart] {
        folded.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false).map { KeyPart($0) }
    }

    /// Without hyphens and underscores.
    static func plain(_ text: some Sequence<Unicode.Scalar>) -> String {
        var plain = String.UnicodeScalarView()
        plain.append(contentsOf: text.filter { $0 != "-" && $0 != "_" })
        return String(plain)
    }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { (0x30...0x39).contains(scalar.value) }

    /// Whether a text ends in another, up to canonical equivalence.
    static func ends(_ text: Substring, in ending: String) -> Bool {
        let scalars = text.unicodeScalars
        // A scalar decomposes into four at the most.
        let longest = ending.unicodeScalars.count * 4
        var start = scalars.endIndex
        for _ in 0..<longest {
            guard start > scalars.startIndex else { return false }
            start = scalars.index(before: start)
            if Substring(scalars[start...]) == ending { return true }
        }
        return false
    }
}

/// A name or an ending that is not in ASCII: a key in ASCII is never one.
struct WidePattern: Sendable {
    /// The words between hyphens and underscores; a dot may stand between them.
    private let words: [String]
    private let isSuffix: Bool
    private let isWhole: Bool
    private let isNumbered: Bool
    let rule: Int

    init(_ folded: String, isSuffix: Bool, rule: Int) {
        let scalars = folded.unicodeScalars
        self.isWhole = scalars.contains(".")
        self.words =
            self.isWhole
            ? [KeyFolding.plain(scalars)]
            : scalars.split { $0 == "-" || $0 == "_" }.map { String(String.UnicodeScalarView($0)) }
        self.isSuffix = isSuffix
        self.isNumbered = scalars.last.map(KeyFolding.isDigit) ?? false
        self.rule = rule
    }

    /// - Parameters:
    ///   - parts: What stands between the dots of a key.
    ///   - start: The first of them that is looked at as the last one that the pattern is for.
    func matches(_ parts: [KeyPart], from start: Int = 0) -> Bool {
        (start..<parts.count).contains { place in
            self.isWhole
                ? self.matchesBeginning(parts[...place])
                : self.matches(parts, at: place, words: self.words.count, isLast: true)
        }
    }

    /// Whether a name with dots is for a key that these parts begin.
    private func matchesBeginning(_ parts: ArraySlice<KeyPart>) -> Bool {
        guard let last = parts.last, let text = self.end(of: parts.dropLast(), and: self.text(of: last, isLast: true))
        else { return false }
        return self.isSuffix ? KeyFolding.ends(Substring(text), in: self.words[0]) : text == self.words[0]
    }

    /// As much of what stands before the end of these parts as can decide; `nil` if that is too long to be the name.
    private func end(of parts: ArraySlice<KeyPart>, and last: String) -> String? {
        // A scalar decomposes into four at the most.
        let longest = self.words[0].unicodeScalars.count * 4
        var texts: [String] = []
        var count = 0
        var place = parts.endIndex
        var text = last
        while true {
            // One more than the name can have, so that what is too long is seen to be.
            let end = text.unicodeScalars.suffix(longest + 1)
            texts.append(String(end))
            count += end.count
            if count > longest { return self.isSuffix ? texts.reversed().joined(separator: ".") : nil }
            guard place > parts.startIndex else { return texts.reversed().joined(separator: ".") }
            place -= 1
            text = parts[place].plain
            count += 1
        }
    }

    /// Whether the first `count` words stand at the end of this part, and before it.
    private func matches(_ parts: [KeyPart], at place: Int, words count: Int, isLast: Bool) -> Bool {
        let part = self.text(of: parts[place], isLast: isLast)
        for first in 0..<count {
            let text = self.words[first..<count].joined()
            if first == 0 {
                if self.isSuffix ? KeyFolding.ends(Substring(part), in: text) : part == text { return true }
            } else if part == text, let before = parts[..<place].lastIndex(where: { !$0.plain.isEmpty }) {
                if self.matches(parts, at: before, words: first, isLast: false) { return true }
            }
        }
        return false
    }

    /// A number counts where more of the name stands behind it.
    private func text(of part: KeyPart, isLast: Bool) -> String {
        isLast && !self.isNumbered ? part.unnumbered : part.plain
    }
}

/// What stands between two dots of a key, without hyphens and underscores.
struct KeyPart {
    let plain: String
    /// Without the numbers at its end, too, if it ends in one.
    let unnumbered: String

    init(_ scalars: Substring.UnicodeScalarView) {
        self.plain = KeyFolding.plain(scalars)
        guard let last = scalars.last, KeyFolding.isDigit(last) else {
            self.unnumbered = self.plain
            return
        }
        let end = scalars.lastIndex { !KeyFolding.isDigit($0) && $0 != "-" && $0 != "_" }
        self.unnumbered = KeyFolding.plain(end.map { scalars[...$0] } ?? scalars[..<scalars.startIndex])
    }
}
