// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Whether a record is the same as the one before it in its topic, but for the time and the order of its fields.
struct RepeatedRecord {
    /// What the last record said, from behind its time to its end.
    private var text: [UInt8] = []
    private(set) var rank = 0
    /// The last record's sequence number.
    private(set) var sequence: UInt64?
    /// How often it has come again.
    private(set) var repeats = 0

    /// Takes note of a record, and forgets the one before.
    mutating func remember(_ text: UnsafeRawBufferPointer, rank: Int, sequence: UInt64?) {
        self.text.removeAll(keepingCapacity: true)
        self.text.append(contentsOf: text)
        self.rank = rank
        self.sequence = sequence
        self.repeats = 0
    }

    /// Counts a record if it is the same as the last one.
    mutating func countIfRepeated(_ text: UnsafeRawBufferPointer, rank: Int) -> Bool {
        guard rank == self.rank, text.count == self.text.count,
            text.elementsEqual(self.text) || self.text.withUnsafeBytes({ Self.haveSameFields($0, text) })
        else { return false }
        self.repeats += 1
        return true
    }

    /// With more fields than this, the order counts: looking for each takes the longer the more there are.
    static let mostFields = 64

    /// Whether two texts of the same length have the same fields: metadata comes in the order of its dictionary, which
    /// differs from that of one that is equal to it. Nothing is allocated, since the topic is locked.
    private static func haveSameFields(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        // Others than the same bytes in another order are told apart quickly.
        guard self.sum(left) == self.sum(right) else { return false }
        // Without the bracket behind the last field.
        let left = UnsafeRawBufferPointer(rebasing: left.dropLast())
        let right = UnsafeRawBufferPointer(rebasing: right.dropLast())
        var found = 0
        var start = 0
        for _ in 0..<self.mostFields {
            let end = self.endOfField(in: right, from: start)
            guard let next = self.endOfField(right[start..<end], in: left, near: found) else { return false }
            if end == right.count { return true }
            found = next + 1
            start = end + 1
        }
        return false
    }

    /// Where a field that is the same as this one ends; looked for from a field's beginning on, and then before that.
    private static func endOfField(
        _ field: Slice<UnsafeRawBufferPointer>,
        in text: UnsafeRawBufferPointer,
        near place: Int
    ) -> Int? {
        let first = place < text.count ? place : 0
        var start = first
        for _ in 0...self.mostFields {
            let end = self.endOfField(in: text, from: start)
            if end - start == field.count, text[start..<end].elementsEqual(field) { return end }
            start = end == text.count ? 0 : end + 1
            if start == first { return nil }
        }
        return nil
    }

    /// Where the field ends that begins here: before a comma, or with the text. The first one begins inside of a string.
    private static func endOfField(in text: UnsafeRawBufferPointer, from start: Int) -> Int {
        var isInString = start == 0
        var place = start
        while place < text.count {
            switch text[place] {
            // What it escapes is not looked at.
            case UInt8(ascii: "\\") where isInString: place += 1
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: ",") where !isInString: return place
            default: break
            }
            place += 1
        }
        return text.count
    }

    /// A sum of all bytes that their order does not change.
    private static func sum(_ text: UnsafeRawBufferPointer) -> UInt64 {
        text.reduce(0) { $0 &+ UInt64($1) &* UInt64($1) }
    }
}
