// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Words that have to follow each other.
public struct Phrase: Sendable, Equatable {
    /// In lower case, as ``WordScanner`` cuts them; never empty, and at most 63.
    let words: [[UInt8]]
    /// Whether the last word need only be how a word begins.
    let endsWithPrefix: Bool
    /// The words without anything between them, and where each ends: quicker to compare with.
    private let flat: [UInt8]
    private let ends: [Int]
    /// Shorter text cannot hold the words. Lower case can take up to three times the bytes.
    private let shortestText: Int

    /// The longest phrase.
    static let maximumWords = 63

    /// The words of `text`; `nil` if it has none or too many.
    init?(_ text: String, endsWithPrefix: Bool = false) {
        let words = WordScanner.words(of: text)
        guard (1...Self.maximumWords).contains(words.count) else { return nil }
        self.words = words
        self.endsWithPrefix = endsWithPrefix
        self.flat = words.flatMap(\.self)
        var end = 0
        self.ends = words.map { word in
            end += word.count
            return end
        }
        self.shortestText = end / 3
    }

    /// Whether the words occur in `text`, which is UTF-8.
    ///
    /// Most text is ASCII, whose words are compared where they stand; what else there is, ``WordScanner`` cuts.
    func occurs(in text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count >= self.shortestText else { return false }
        return WordScanner.folded.withUnsafeBufferPointer { folded in
            self.flat.withUnsafeBufferPointer { flat in self.occurs(inASCII: text, folded, flat) }
        } ?? self.occursSlowly(in: text)
    }

    /// `nil` if the text is not ASCII.
    private func occurs(
        inASCII text: UnsafeBufferPointer<UInt8>,
        _ folded: UnsafeBufferPointer<UInt8>,
        _ flat: UnsafeBufferPointer<UInt8>
    ) -> Bool? {
        let last = self.ends.count - 1
        // Bit n: the words up to the n-th have just been seen.
        var progress: UInt64 = 0
        var index = 0
        while index < text.count {
            while index < text.count, text[index] < 0x80, folded[Int(text[index])] == 0 { index += 1 }
            let start = index
            while index < text.count, text[index] < 0x80, folded[Int(text[index])] != 0 { index += 1 }
            if index < text.count, text[index] >= 0x80 { return nil }
            guard index > start else { break }
            var matching: UInt64 = 0
            var wantedStart = 0
            for place in 0...last {
                let wantedEnd = self.ends[place]
                let length = wantedEnd - wantedStart
                let fits = index - start == length || (place == last && self.endsWithPrefix && index - start > length)
                if fits, (0..<length).allSatisfy({ folded[Int(text[start + $0])] == flat[wantedStart + $0] }) {
                    matching |= 1 << UInt64(place)
                }
                wantedStart = wantedEnd
            }
            progress = (progress << 1 | 1) & matching
            if progress >> UInt64(last) & 1 == 1 { return true }
        }
        return false
    }

    private func occursSlowly(in text: UnsafeBufferPointer<UInt8>) -> Bool {
        var scanner = WordScanner(text)
        let last = self.words.count - 1
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
