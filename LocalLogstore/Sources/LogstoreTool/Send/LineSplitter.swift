// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into lines, with bounded memory.
///
/// Lines end with a line feed, and a carriage return in front of it belongs to the end. A line that is longer than the
/// limit comes in pieces, so that a stream without any line feed cannot fill the memory.
struct LineSplitter {
    /// The longest line, in bytes.
    let limit: Int

    /// How many lines came in pieces.
    private(set) var brokenLines = 0

    private var rest: [UInt8] = []
    private var isInsideBrokenLine = false

    init(limit: Int) {
        self.limit = limit
    }

    /// Calls `body` with the lines that `chunk` completes.
    mutating func feed(
        _ chunk: ArraySlice<UInt8>,
        _ body: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async rethrows {
        var chunk = chunk
        while let end = chunk.firstIndex(of: 0x0A) {
            try await self.append(chunk[..<end], body)
            let line = self.rest.last == 0x0D ? self.rest.dropLast() : self.rest[...]
            // The end of a line that came in pieces is no line of its own.
            if !(self.isInsideBrokenLine && line.isEmpty) { try await body(line) }
            self.rest.removeAll(keepingCapacity: true)
            self.isInsideBrokenLine = false
            chunk = chunk[(end + 1)...]
        }
        try await self.append(chunk, body)
    }

    /// Calls `body` with what follows the last line feed, if there is anything.
    mutating func finish(
        _ body: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async rethrows {
        guard !self.rest.isEmpty else { return }
        try await body(self.rest[...])
        self.rest.removeAll()
    }

    /// Forgets what follows the last line feed: its end will not come.
    mutating func discard() {
        self.rest.removeAll(keepingCapacity: true)
        self.isInsideBrokenLine = false
    }

    /// Adds to the line, and returns pieces of it while it is over the limit.
    private mutating func append(
        _ bytes: ArraySlice<UInt8>,
        _ body: nonisolated(nonsending) (ArraySlice<UInt8>) async throws -> Void
    ) async rethrows {
        self.rest.append(contentsOf: bytes)
        while self.rest.count > self.limit {
            let cut = Self.cut(self.rest[...], at: self.limit)
            try await body(self.rest[..<cut])
            self.rest.removeFirst(cut)
            if !self.isInsideBrokenLine { self.brokenLines += 1 }
            self.isInsideBrokenLine = true
        }
    }

    /// The last place up to `limit` bytes in that is not in the middle of a character, as an index of `bytes`.
    static func cut(_ bytes: ArraySlice<UInt8>, at limit: Int) -> Int {
        let end = bytes.startIndex + limit
        var cut = end
        while cut > end - 3, cut > bytes.startIndex + 1, bytes[cut].isContinuation { cut -= 1 }
        // More continuation bytes than a character can have: it is not UTF-8 anyway.
        return bytes[cut].isContinuation ? end : cut
    }
}

extension UInt8 {
    /// Whether the byte is inside a character of UTF-8.
    fileprivate var isContinuation: Bool { self & 0b1100_0000 == 0b1000_0000 }
}
