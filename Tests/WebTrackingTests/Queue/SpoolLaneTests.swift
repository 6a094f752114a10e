// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// Appends that pass a queue's lock into a spool file, and callers that stop between their claim and their commit.
@Suite(.timeLimit(.minutes(5))) struct SpoolLaneTests {
    private let clock = ManualClock(wallTime: Rig.start)
    private let directory = SpoolDirectory()
    private let store: SpoolStore
    private let queue: TopicQueue

    init() {
        self.store = Self.store(self.directory, self.clock)
        self.queue = AppendLaneTests.queue(self.clock, heap: self.store.heap, home: self.store)
    }

    /// A store whose worker runs in the calling task.
    static func store(_ directory: SpoolDirectory, _ clock: ManualClock) -> SpoolStore {
        SpoolStore(
            directory: directory.path,
            destination: "project/logstore",
            maximumBytes: 1 << 30,
            identity: 1,
            heap: HeapHome(limit: 64 << 20),
            clock: clock,
            diagnostics: { _ in }
        )
    }

    private func append(_ text: String) {
        let answer = Array("\"m\":\"\(text)\"}".utf8).withUnsafeBytes {
            self.queue.append($0, rank: 2, repairs: RepairCounts())
        }
        #expect(answer == .accepted)
    }

    private func claim(_ text: String) throws -> AppendLaneTests.Claimed {
        try AppendLaneTests.claim(text, in: self.queue)
    }

    /// The messages of a file's whole records, as a process finds them that comes after this one has died.
    private func found(_ path: String) -> [String] {
        let finding = SpoolDamageTests.examine(self.directory.contents(of: path))
        guard case .records(let batch, _, nil) = finding else { return ["\(finding)"] }
        return self.messages(batch)
    }

    private func messages(_ batch: some BatchContent) -> [String] {
        var messages: [String] = []
        batch.forEachRecord { text in
            let parts = String(decoding: text, as: UTF8.self).split(separator: "\"")
            messages.append(String(parts[parts.count - 2]))
        }
        return messages
    }

    private func deliver(_ batch: Batch) {
        let part = BatchRange(batch: batch, ranges: [batch.all], isLast: true)
        self.queue.settle(part, as: .delivered(rawBytes: 1, wireBytes: 1))
    }

    private var isLaneOpen: Bool { self.queue.state.lane.isOpen }

    private func seal() { _ = self.queue.state.withLock { self.queue.sealOpen(in: &$0) } }

    /// accepted = delivered + dropped + pending, by level.
    private func checkConservation() {
        let tally = self.queue.tally
        var sum = tally.delivered
        sum += tally.pending
        for reason in DropReason.allCases { sum += tally.dropped[reason] }
        #expect(tally.accepted == sum)
    }

    @Test func callersAppendToAFilePastTheLock() throws {
        self.append("a")
        #expect(self.isLaneOpen)
        self.append("b")
        #expect(self.isLaneOpen)
        let file = try #require(self.directory.holding.first)
        #expect(self.found(file) == ["a", "b"])
        let batch = try #require(self.queue.take())
        #expect(batch.memory.file?.path == file && self.messages(batch) == ["a", "b"])
    }

    @Test func aDeathDuringAnAppendLosesNoRecordWhoseCallHasReturned() throws {
        self.append("a")
        let file = try #require(self.directory.holding.first)
        let first = try self.claim("b")
        self.append("c")
        let second = try self.claim("d")
        #expect(self.found(file) == ["a", "c"])
        second.copy()
        #expect(self.found(file) == ["a", "c"])
        second.commit()
        #expect(self.found(file) == ["a", "c", "d"])
        self.checkConservation()
        first.commit()
        #expect(self.found(file) == ["a", "b", "c", "d"])
        #expect(self.messages(try #require(self.queue.take())) == ["a", "b", "c", "d"])
        self.checkConservation()
    }

    @Test func aFileIsSyncedOnceMoreAfterTheLastCommitInIt() throws {
        func round() -> [String] { self.store.state.withLock { $0.ledger.beginRound(folder: nil).files } }
        self.append("a")
        let file = try #require(self.directory.holding.first)
        let claimed = try self.claim("b")
        self.seal()
        // It was begun before the record was there, and so was the next one.
        #expect(round() == [file])
        #expect(round() == [file])
        claimed.commit()
        #expect(self.queue.tally.pending.total == 2)
        #expect(round() == [file])
        #expect(round() == [])
    }

    @Test func aFileInWhichACallerIsCopyingStaysMapped() throws {
        self.append("a")
        let claimed = try self.claim("b")
        for text in ["c", "d", "e", "f"] {
            self.seal()
            self.append(text)
        }
        self.seal()
        // Behind it all wait, and none is unmapped.
        #expect(self.queue.state.withLock { $0.intake.closing.count } == 5)
        #expect(self.queue.state.withLock { $0.intake.closing.allSatisfy(\.memory.isResident) })
        let mapped = self.queue.context.budget.heldBytes
        claimed.commit()
        #expect(self.queue.tally.pending.total == 6)
        let sealed = self.queue.state.withLock { $0.ledger.sealed }
        #expect(sealed.map(\.memory.isResident) == [true, true, false, false, false])
        #expect(self.queue.context.budget.heldBytes == sealed.reduce(0) { $0 + $1.memory.heldBytes })
        #expect(self.queue.context.budget.heldBytes < mapped)
        #expect(sealed.flatMap { self.found($0.memory.file?.path ?? "") } == ["a", "b", "c", "d", "e", "f"])
    }

    @Test func aFileThatIsUsedAgainHoldsNothingOfWhatCallersHadClaimed() throws {
        self.append("a")
        let file = try #require(self.directory.holding.first)
        let claimed = try (0..<50).map { try self.claim("secret \($0)") }
        for claim in claimed.reversed() { claim.commit() }
        self.deliver(try #require(self.queue.take()))
        self.store.updateFiles()
        let bytes = self.directory.contents(of: file)
        #expect(bytes.count > SpoolFormat.headerBytes)
        #expect(bytes.dropFirst(SpoolFormat.headerBytes).allSatisfy { $0 == 0 })
    }

    @Test func aShutdownLeavesTheFileOfACallerThatNeverComesToTheNextStart() async throws {
        self.append("a")
        let claimed = try self.claim("b")
        self.append("c")
        let file = try #require(self.directory.holding.first)
        let folder = file.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        var outcome = Outcome()
        self.queue.close()
        let rest = self.queue.abandon(addingTo: &outcome)
        // What is committed is in the spool.
        #expect(rest.dropped == 0 && rest.spooled.map(\.levels.total) == [2] && outcome.pending == 2)
        #expect(self.queue.context.budget.heldBytes == 0)
        self.checkConservation()
        // The caller may still write, so the file stays mapped, and nobody takes it over.
        self.store.unmap(rest.spooled.compactMap { $0.isWaiting ? $0.memory.spoolFile?.detach() : nil })
        self.store.close()
        #expect(!SpoolFolder.isLeft(folder, access: SpoolAccess(.owner)))
        claimed.commit()
        #expect(self.found(file) == ["a", "b", "c"])
        #expect(self.queue.tally.pending.total == 3 && self.queue.tally.accepted.total == 3)
        self.checkConservation()
        #expect(self.queue.state.withLock { $0.unsent.isEmpty })
    }

    @Test func aShutdownLetsGoOfAFileThatIsWholeBehindOneThatIsNot() throws {
        self.append("a")
        let stuck = try self.claim("b")
        self.seal()
        self.append("c")
        let late = try self.claim("d")
        self.seal()
        late.commit()
        var outcome = Outcome()
        self.queue.close()
        let rest = self.queue.abandon(addingTo: &outcome)
        #expect(rest.spooled.map(\.isWaiting) == [false, true])
        #expect(rest.spooled.map(\.levels.total) == [1, 2] && outcome.pending == 3)
        self.checkConservation()
        stuck.commit()
        #expect(self.queue.tally.pending.total == 4)
        self.checkConservation()
    }

    @Test func aFileThatNoCallerWritesToIsLetGoOfAtAShutdown() throws {
        self.append("a")
        self.append("b")
        var outcome = Outcome()
        self.queue.close()
        let rest = self.queue.abandon(addingTo: &outcome)
        #expect(outcome.pending == 2 && rest.spooled.allSatisfy(\.isWaiting))
        #expect(self.queue.state.withLock { $0.unsent.isEmpty })
    }

    @Test func aBatchInMemoryMovesToAFileWhenItsCallersAreDone() throws {
        // In the place of the directory there is a file.
        self.directory.overwrite(self.directory.path, with: [1])
        self.append("a")
        #expect(self.queue.unspooled == 1)
        let claimed = try self.claim("b")
        unlink(self.directory.path)
        self.clock.advance(by: .seconds(2))
        #expect(self.queue.spill(into: self.store, isForced: true) == 2)
        // No file was fetched for it that it cannot have yet.
        #expect(self.directory.files == [])
        // It is not open any more, and callers go on in another batch.
        self.append("c")
        #expect(self.queue.take() == nil)
        claimed.commit()
        #expect(self.queue.spill(into: self.store, isForced: true) == 0)
        #expect(self.directory.holding.count == 2)
        let taken = [self.queue.take(), self.queue.take()].compactMap { $0 }
        for batch in taken where !batch.memory.isResident { try batch.memory.map() }
        #expect(taken.map { self.messages($0) } == [["a", "b"], ["c"]])
        self.checkConservation()
    }

    @Test func anOpenBatchInMemoryMovesWithAllThatCallersHaveCommitted() throws {
        self.directory.overwrite(self.directory.path, with: [1])
        for text in ["a", "b", "c"] { self.append(text) }
        unlink(self.directory.path)
        self.clock.advance(by: .seconds(2))
        #expect(self.queue.spill(into: self.store, isForced: true) == 0)
        let file = try #require(self.directory.holding.first)
        self.append("d")
        #expect(self.isLaneOpen)
        self.append("e")
        #expect(self.found(file) == ["a", "b", "c", "d", "e"])
        #expect(self.messages(try #require(self.queue.take())) == ["a", "b", "c", "d", "e"])
    }
}
