//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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
    static func parts(of folded: String) -> [String] {
        folded.unicodeScalars.split(separator: ".", omittingEmptySubsequences: false).map { self.plain($0) }
    }

    /// Without hyphens and underscores.
    static func plain(_ text: some Sequence<Unicode.Scalar>) -> String {
        var plain = String.UnicodeScalarView()
        plain.append(contentsOf: text.filter { $0 != "-" && $0 != "_" })
        return String(plain)
    }

    /// Without the number at its end, which only counts at the very end.
    static func unnumbered(_ part: String) -> Substring {
        let scalars = part.unicodeScalars
        let end = scalars.lastIndex { !self.isDigit($0) }.map { scalars.index(after: $0) } ?? scalars.startIndex
        return Substring(scalars[..<end])
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

    /// - Parameter parts: What stands between the dots of `folded`.
    func matches(_ folded: String, parts: [String]) -> Bool {
        if self.isWhole { return self.matches([KeyFolding.plain(folded.unicodeScalars)], at: 0, words: 1) }
        return parts.indices.contains { self.matches(parts, at: $0, words: self.words.count, isLast: true) }
    }

    /// Whether the first `count` words stand at the end of this part, and before it.
    private func matches(_ parts: [String], at place: Int, words count: Int, isLast: Bool = true) -> Bool {
        let part = isLast && !self.isNumbered ? KeyFolding.unnumbered(parts[place]) : Substring(parts[place])
        for first in 0..<count {
            let text = self.words[first..<count].joined()
            if first == 0 {
                if self.isSuffix ? KeyFolding.ends(part, in: text) : part == text { return true }
            } else if part == text, place > 0 {
                if self.matches(parts, at: place - 1, words: first, isLast: false) { return true }
            }
        }
        return false
    }
}
