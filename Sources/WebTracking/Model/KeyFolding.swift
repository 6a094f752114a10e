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
    /// The words between hyphens and underscores, between which a dot may stand; of a name with dots, what is between those.
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
            ? scalars.split(separator: ".", omittingEmptySubsequences: false).map { KeyFolding.plain($0) }
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
    ///
    /// Part by part, as a dot is equivalent to nothing else: most keys are seen at their last part to be others.
    private func matchesBeginning(_ parts: ArraySlice<KeyPart>) -> Bool {
        guard self.isSuffix ? parts.count >= self.words.count : parts.count == self.words.count else { return false }
        let end = parts.suffix(self.words.count)
        return zip(end.indices, self.words).reversed().allSatisfy { index, word in
            let text = self.text(of: end[index], isLast: index == end.indices.last)
            guard self.isSuffix, index == end.startIndex else { return text == word }
            return word.isEmpty || KeyFolding.ends(Substring(text), in: word)
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
