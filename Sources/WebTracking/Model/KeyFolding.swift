// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Case folding of keys beyond ASCII, for redaction's rules. Two keys are the same if they are canonically equivalent
/// (as strings are in the standard library) after each scalar is converted to lower case.
///
/// Scalars are converted one by one, so that the result depends neither on the place in the key nor on a language: `ß`
/// is not `SS`, a final `ς` is not `σ`, and `ı` is not `I`.
enum KeyFolding {
    /// A key in lower case.
    static func folded(_ key: String) -> String {
        var folded = ""
        for scalar in key.unicodeScalars {
            switch scalar.value {
            // Canonically equivalent to ASCII characters. The lower case of the Kelvin sign is ASCII, too.
            case 0x037E: folded.unicodeScalars.append(";")
            case 0x1FEF: folded.unicodeScalars.append("`")
            default: folded += scalar.properties.lowercaseMapping
            }
        }
        return folded
    }

    /// The parts of a folded key between its dots, in the form that is compared.
    static func parts(of folded: String) -> [KeyPart] {
        folded.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false).map { KeyPart($0) }
    }

    /// The text without hyphens and underscores.
    static func plain(_ text: some Sequence<Unicode.Scalar>) -> String {
        var plain = String.UnicodeScalarView()
        plain.append(contentsOf: text.filter { $0 != "-" && $0 != "_" })
        return String(plain)
    }

    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { (0x30...0x39).contains(scalar.value) }

    /// Whether a text ends with another one, up to canonical equivalence.
    static func ends(_ text: Substring, in ending: String) -> Bool {
        let scalars = text.unicodeScalars
        // A scalar decomposes into at most four.
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

/// A name or an ending that is not ASCII. A key in ASCII never matches it.
struct WidePattern: Sendable {
    /// The words between hyphens and underscores; a dot may stand between two of them. For a name with dots, the parts
    /// between these.
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

    ///   - parts: The parts of a key between its dots.
    ///   - start: The first part that may be the last one of a match.
    func matches(_ parts: [KeyPart], from start: Int = 0) -> Bool {
        (start..<parts.count).contains { place in
            self.isWhole
                ? self.matchesBeginning(parts[...place])
                : self.matches(parts, at: place, words: self.words.count, isLast: true)
        }
    }

    /// Whether a name with dots matches a key that begins with these parts.
    ///
    /// Compares part by part, from the end: a dot is equivalent to nothing else, and most keys already differ in their
    /// last part.
    private func matchesBeginning(_ parts: ArraySlice<KeyPart>) -> Bool {
        guard self.isSuffix ? parts.count >= self.words.count : parts.count == self.words.count else { return false }
        let end = parts.suffix(self.words.count)
        return zip(end.indices, self.words).reversed().allSatisfy { index, word in
            let text = self.text(of: end[index], isLast: index == end.indices.last)
            guard self.isSuffix, index == end.startIndex else { return text == word }
            return word.isEmpty || KeyFolding.ends(Substring(text), in: word)
        }
    }

    /// Whether the first `count` words stand at the end of this part and in the parts before it.
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

    /// A number counts if it is not at the end of the name.
    private func text(of part: KeyPart, isLast: Bool) -> String {
        isLast && !self.isNumbered ? part.unnumbered : part.plain
    }
}

/// A part of a key between two dots, without hyphens and underscores.
struct KeyPart {
    let plain: String
    /// The same without the numbers at its end.
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
