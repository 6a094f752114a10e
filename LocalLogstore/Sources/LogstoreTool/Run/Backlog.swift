// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What became of a program's lines before the library had them.
struct LineCounts: Equatable {
    /// Those that were dropped included.
    var read = 0
    var dropped = 0

    static func + (left: LineCounts, right: LineCounts) -> LineCounts {
        LineCounts(read: left.read + right.read, dropped: left.dropped + right.dropped)
    }
}

/// What was read of a stream and waits to be shipped, with bounded memory.
///
/// Beyond the bound the oldest is dropped, so that the last lines before a crash are there. Every line that is not there to
/// its end is counted.
struct Backlog {
    /// What one read returned.
    struct Block: Equatable {
        var content: ArraySlice<UInt8>
        /// When it was read, in nanoseconds since 1970.
        var time: Int64
        /// Whether the line that the block before it had not ended has no end: it was dropped in between.
        var followsGap: Bool

        /// The line feeds in it.
        fileprivate var lines: Int
    }

    /// What a block takes besides its bytes.
    private static let overhead = 128

    /// The most to hold, in bytes.
    let limit: Int

    private(set) var heldBytes = 0
    /// The lines that were read, and those of them that are lost wholly or in part. One that has not ended counts as soon as it
    /// has begun, or is known to be lost.
    var counts: LineCounts {
        LineCounts(read: self.lineFeeds + (self.isInsideLine ? 1 : 0), dropped: self.droppedLines)
    }

    private var lineFeeds = 0
    private var isInsideLine = false
    private var droppedLines = 0

    /// Those up to `first` are taken.
    private var blocks: [Block] = []
    private var first = 0
    /// Whether what comes next ends a line whose beginning is lost. Then nothing is held.
    private var isInsideLostLine = false
    private var hasGap = false

    init(limit: Int) {
        self.limit = limit
    }

    mutating func append(_ bytes: [UInt8], time: Int64) {
        guard let last = bytes.last else { return }
        let lines = Self.lineFeeds(in: bytes[...])
        self.lineFeeds += lines
        self.isInsideLine = last != 0x0A
        self.blocks.append(Block(content: bytes[...], time: time, followsGap: false, lines: lines))
        self.heldBytes += bytes.count + Self.overhead
        self.loseRestOfLine()
        while self.heldBytes > self.limit, self.dropOldest() {}
    }

    /// Drops all that is held: no time is left for it. Nothing comes any more.
    mutating func dropAll() {
        while self.dropOldest() {}
        self.finish()
    }

    /// The oldest block; `nil` if there is none.
    mutating func take() -> Block? {
        guard var block = self.removeFirst() else { return nil }
        block.followsGap = self.takeGap()
        return block
    }

    /// Whether a line that ``take()`` has given the beginning of will have no end. Asked at the end, when there is no
    /// block any more to say so.
    mutating func takeGap() -> Bool {
        defer { self.hasGap = false }
        return self.hasGap
    }

    /// Nothing comes any more: a lost line ends here, too.
    mutating func finish() {
        if self.isInsideLostLine { self.droppedLines += 1 }
        self.isInsideLostLine = false
    }

    /// Returns `false` if there is nothing to drop.
    private mutating func dropOldest() -> Bool {
        guard let oldest = self.removeFirst() else { return false }
        self.droppedLines += oldest.lines
        self.hasGap = true
        self.isInsideLostLine = oldest.content.last != 0x0A
        self.loseRestOfLine()
        return true
    }

    private mutating func removeFirst() -> Block? {
        guard self.first < self.blocks.count else { return nil }
        let block = self.blocks[self.first]
        // What it was read into is not needed any more.
        self.blocks[self.first].content = []
        self.first += 1
        if self.first > 64, self.first * 2 > self.blocks.count {
            self.blocks.removeFirst(self.first)
            self.first = 0
        }
        // A shortened one has still all that it was read into.
        self.heldBytes -= block.content.endIndex + Self.overhead
        return block
    }

    /// Takes what belongs to a lost line from the front.
    private mutating func loseRestOfLine() {
        while self.isInsideLostLine, self.first < self.blocks.count {
            guard let end = self.blocks[self.first].content.firstIndex(of: 0x0A) else {
                _ = self.removeFirst()
                continue
            }
            self.isInsideLostLine = false
            self.droppedLines += 1
            self.blocks[self.first].lines -= 1
            self.blocks[self.first].content = self.blocks[self.first].content[(end + 1)...]
            if self.blocks[self.first].content.isEmpty { _ = self.removeFirst() }
        }
    }

    /// Counted for every block at the speed of a pipe: so that the compiler can take many bytes at a time, few enough are
    /// added up at once for a byte to hold their number.
    static func lineFeeds(in bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var count = 0
            for start in stride(from: 0, to: bytes.count, by: 255) {
                var few: UInt8 = 0
                for index in start..<min(start + 255, bytes.count) { few &+= bytes[index] == 0x0A ? 1 : 0 }
                count += Int(few)
            }
            return count
        }
    }
}
