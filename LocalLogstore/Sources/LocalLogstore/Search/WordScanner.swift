// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Cuts text into the words that searches are about, in lower case.
///
/// A word is a run of letters, digits and underscores; each ideograph is a word of its own, since nothing separates
/// them. Both the index and the matching of rows use this, so that they cannot disagree.
struct WordScanner {
    private let text: UnsafeBufferPointer<UInt8>
    private var position = 0

    /// The last word.
    private(set) var word: [UInt8] = []

    /// `text` has to be UTF-8 and to outlive the scanner.
    init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        self.word.reserveCapacity(64)
    }

    /// Goes on to the next word; `false` if there is none.
    mutating func next() -> Bool {
        self.word.removeAll(keepingCapacity: true)
        while self.position < self.text.count {
            let byte = self.text[self.position]
            if byte < 0x80 {
                let folded = Self.folded[Int(byte)]
                if folded == 0 {
                    if !self.word.isEmpty { return true }
                } else {
                    self.word.append(folded)
                }
                self.position += 1
            } else if self.takeScalar() {
                return true
            }
        }
        return !self.word.isEmpty
    }

    /// Consumes a scalar beyond ASCII, or says that the word ends in front of it.
    private mutating func takeScalar() -> Bool {
        let lead = self.text[self.position]
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        let end = min(self.position + length, self.text.count)
        let character = String(decoding: self.text[self.position..<end], as: UTF8.self)
        guard let scalar = character.unicodeScalars.first else { return true }
        if Self.isIdeograph(scalar) {
            if !self.word.isEmpty { return true }
            self.word.append(contentsOf: character.utf8)
            self.position = end
            return true
        }
        self.position = end
        let properties = scalar.properties
        if properties.isAlphabetic || properties.numericType != nil || properties.generalCategory == .nonspacingMark {
            self.word.append(contentsOf: properties.lowercaseMapping.utf8)
            return false
        }
        return !self.word.isEmpty
    }

    private static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Han and kana, their compatibility forms, and the planes that hold the rarer ones.
        case 0x2E80...0x2FDF, 0x3040...0x30FF, 0x31F0...0x31FF, 0x3400...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF:
            true
        default: false
        }
    }

    /// The lower case of every ASCII byte that belongs to a word, and 0 for the others.
    static let folded: [UInt8] = (0..<128).map { byte in
        switch UInt8(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            UInt8(byte)
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt8(byte) + 32
        default: 0
        }
    }

    /// All words of a text.
    static func words(of text: String) -> [[UInt8]] {
        var text = text
        return text.withUTF8 { bytes in
            var scanner = WordScanner(bytes)
            var words: [[UInt8]] = []
            while scanner.next() { words.append(scanner.word) }
            return words
        }
    }
}
