//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// Words that have to follow each other.
public struct Phrase: Sendable, Equatable {
    /// In lower case, as ``WordScanner`` cuts them; never empty, and at most 63.
    let words: [[UInt8]]
    /// Whether the last word need only be how a word begins.
    let endsWithPrefix: Bool

    /// The longest phrase.
    static let maximumWords = 63

    /// The words of `text`; `nil` if it has none or too many.
    init?(_ text: String, endsWithPrefix: Bool = false) {
        let words = WordScanner.words(of: text)
        guard (1...Self.maximumWords).contains(words.count) else { return nil }
        self.words = words
        self.endsWithPrefix = endsWithPrefix
    }

    /// Whether the words occur in `text`, which is UTF-8.
    func occurs(in text: UnsafeBufferPointer<UInt8>) -> Bool {
        var scanner = WordScanner(text)
        let last = self.words.count - 1
        // Bit n: the words up to the n-th have just been seen.
        var progress: UInt64 = 0
        while scanner.next() {
            var matching: UInt64 = 0
            for index in 0...last where self.matches(scanner.word, at: index, isLast: index == last) {
                matching |= 1 << UInt64(index)
            }
            progress = (progress << 1 | 1) & matching
            if progress >> UInt64(last) & 1 == 1 { return true }
        }
        return false
    }

    func occurs(in text: String) -> Bool {
        var text = text
        return text.withUTF8 { self.occurs(in: $0) }
    }

    private func matches(_ word: [UInt8], at index: Int, isLast: Bool) -> Bool {
        let wanted = self.words[index]
        if isLast, self.endsWithPrefix { return word.starts(with: wanted) }
        return word.count == wanted.count && word == wanted
    }
}
