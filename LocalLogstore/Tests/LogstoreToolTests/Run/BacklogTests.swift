// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LogstoreTool

@Suite("What waits to be shipped")
struct BacklogTests {
    /// A generator that gives the same numbers each time (xorshift64).
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state ^= self.state << 13
            self.state ^= self.state >> 7
            self.state ^= self.state << 17
            return self.state
        }
    }

    /// What the one that ships makes of the blocks.
    private struct Reader {
        var splitter = LineSplitter(limit: 1 << 20)
        var lines: [String] = []

        mutating func read(_ block: Backlog.Block) async {
            if block.followsGap { self.splitter.discard() }
            var lines = self.lines
            await self.splitter.feed(block.content) { lines.append(String(decoding: $0, as: UTF8.self)) }
            self.lines = lines
        }

        mutating func finish(hasGap: Bool) async {
            if hasGap { self.splitter.discard() }
            var lines = self.lines
            await self.splitter.finish { lines.append(String(decoding: $0, as: UTF8.self)) }
            self.lines = lines
        }
    }

    @Test("Every line is either whole and in order, or counted", arguments: 1...300 as ClosedRange<UInt64>)
    func losesNoLineUncounted(seed: UInt64) async {
        var numbers = Numbers(state: seed &* 0x9E37_79B9_7F4A_7C15)
        var text: [UInt8] = []
        var written = 0
        let count = Int.random(in: 1...200, using: &numbers)
        for number in 0..<count {
            text += Array("\(number):\(String(repeating: "x", count: Int.random(in: 0...40, using: &numbers)))\n".utf8)
            written += 1
        }
        if Bool.random(using: &numbers) {
            text += Array("\(written):no end".utf8)
            written += 1
        }
        var backlog = Backlog(limit: Int.random(in: 200...2000, using: &numbers))
        var reader = Reader()
        var rest = text[...]
        // How often the one that ships comes by, which may be never.
        let visits = Int.random(in: 0...3, using: &numbers)
        while !rest.isEmpty {
            let size = Int.random(in: 1...60, using: &numbers)
            backlog.append(Array(rest.prefix(size)), time: 0)
            rest = rest.dropFirst(size)
            #expect(backlog.heldBytes <= backlog.limit)
            for _ in 0..<visits where Bool.random(using: &numbers) {
                if let block = backlog.take() { await reader.read(block) }
            }
        }
        backlog.finish()
        // There may be no time for the rest.
        let visitsAtTheEnd = Bool.random(using: &numbers) ? Int.max : Int.random(in: 0...3, using: &numbers)
        for _ in 0..<visitsAtTheEnd {
            guard let block = backlog.take() else { break }
            await reader.read(block)
        }
        backlog.dropAll()
        #expect(backlog.take() == nil)
        await reader.finish(hasGap: backlog.takeGap())
        #expect(backlog.heldBytes == 0)

        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        let places = reader.lines.map { lines.firstIndex(of: $0) }
        #expect(!places.contains(nil), "a line that nobody wrote: \(reader.lines)")
        #expect(places.compactMap(\.self) == places.compactMap(\.self).sorted())
        #expect(Set(reader.lines).count == reader.lines.count)
        #expect(backlog.counts == LineCounts(read: written, dropped: written - reader.lines.count))
    }

    @Test func keepsTheLast() {
        var backlog = Backlog(limit: 1000)
        for number in 0..<100 { backlog.append(Array("line \(number)\n".utf8), time: Int64(number)) }
        var last: Backlog.Block?
        while let block = backlog.take() { last = block }
        #expect(last?.time == 99 && last?.content.elementsEqual("line 99\n".utf8) == true)
        #expect(backlog.counts.dropped > 90)
    }

    @Test func tellsWhereLinesAreMissing() {
        var backlog = Backlog(limit: 300)
        backlog.append(Array("a".utf8), time: 0)
        let first = backlog.take()
        backlog.append(Array("b\nc\n".utf8), time: 0)
        backlog.append(Array("d\n".utf8), time: 0)
        backlog.append(Array("e\n".utf8), time: 0)
        // "ab" and "c" went for "e".
        let next = [backlog.take(), backlog.take(), backlog.take()]
        #expect(first?.followsGap == false && next.map { $0?.followsGap } == [true, false, nil])
        #expect(backlog.counts == LineCounts(read: 4, dropped: 2))
    }

    @Test(arguments: [0, 1, 254, 255, 256, 510, 511, 70_000])
    func countsLineFeeds(length: Int) {
        let feeds = [UInt8](repeating: 0x0A, count: length)
        #expect(Backlog.lineFeeds(in: feeds[...]) == length)
        let mixed = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        #expect(Backlog.lineFeeds(in: mixed[...]) == mixed.count(where: { $0 == 0x0A }))
        #expect(Backlog.lineFeeds(in: ([7] + feeds + [8])[1...]) == length)
    }
}
