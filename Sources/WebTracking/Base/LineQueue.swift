// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Text that waits to be written, within bounds; what finds no room is counted, and told before what comes after it.
struct LineQueue {
    /// What may wait: enough for what a producer says in an outage, and nothing that memory would notice.
    static let maximumTexts = 64
    static let maximumBytes = 64 << 10

    private var texts: [String] = []
    private var bytes = 0
    /// Lines that found no room or could not be written, and that nothing has told of yet.
    private(set) var left = 0

    /// Takes lines, each with its line feed; `false` if there is no room for them.
    mutating func append(_ lines: String) -> Bool {
        let size = lines.utf8.count
        guard self.texts.count < Self.maximumTexts, self.bytes + size <= Self.maximumBytes else {
            self.leave(lines)
            return false
        }
        self.texts.append(lines)
        self.bytes += size
        return true
    }

    /// The next text to write; `nil` if nothing waits.
    mutating func next() -> String? {
        guard !self.texts.isEmpty else { return nil }
        let text = self.texts.removeFirst()
        self.bytes -= text.utf8.count
        return text
    }

    /// Counts lines that were not written.
    mutating func leave(_ lines: String) { self.left += lines.utf8.count { $0 == UInt8(ascii: "\n") } }

    /// What tells of the lines that were left, and how many they are; `nil` if there are none.
    mutating func takeLeft() -> (text: String, count: Int)? {
        guard self.left > 0 else { return nil }
        defer { self.left = 0 }
        return ("webtracking: \(self.left) lines were left out here, as nobody read them\n", self.left)
    }

    /// Takes back what could not be told.
    mutating func putBack(_ count: Int) { self.left += count }
}
