// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A bounded queue of text to write. It counts the lines that do not fit, and reports them before the next text.
struct LineQueue {
    /// The bounds: enough for what a producer reports in an outage, and very little memory.
    static let maximumTexts = 64
    static let maximumBytes = 64 << 10

    private var texts: [String] = []
    private var bytes = 0
    /// How many lines were dropped and not reported yet: they did not fit, or could not be written.
    private(set) var dropped = 0

    /// Appends lines, each with its line feed. If they do not fit, drops them and returns `false`.
    mutating func append(_ lines: String) -> Bool {
        let size = lines.utf8.count
        guard self.texts.count < Self.maximumTexts, self.bytes + size <= Self.maximumBytes else {
            self.countDropped(lines)
            return false
        }
        self.texts.append(lines)
        self.bytes += size
        return true
    }

    /// Removes and returns the next text to write; `nil` if there is none.
    mutating func next() -> String? {
        guard !self.texts.isEmpty else { return nil }
        let text = self.texts.removeFirst()
        self.bytes -= text.utf8.count
        return text
    }

    /// Counts lines as dropped.
    mutating func countDropped(_ lines: String) { self.dropped += lines.utf8.count { $0 == UInt8(ascii: "\n") } }

    /// Removes and returns the report of the dropped lines, and their number; `nil` if there are none.
    mutating func takeDropReport() -> (text: String, count: Int)? {
        guard self.dropped > 0 else { return nil }
        defer { self.dropped = 0 }
        return ("webtracking: \(self.dropped) lines were left out here, as they were not read\n", self.dropped)
    }

    /// Counts dropped lines again, as their report could not be written.
    mutating func restoreDropped(_ count: Int) { self.dropped += count }
}
