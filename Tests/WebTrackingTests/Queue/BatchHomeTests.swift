// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// A home for batches is one type, and what it does not say is as on the heap: here one that is neither heap nor spool.
@Suite struct BatchHomeTests {
    private let heap = HeapHome(limit: 64 << 20)
    private let store: ObjectStore
    private let queue: TopicQueue

    init() {
        self.store = ObjectStore(heap: self.heap, limit: 3 * ObjectStore.bytes)
        self.queue = AppendLaneTests.queue(ManualClock(wallTime: Rig.start), heap: self.heap, home: self.store)
    }

    /// A place for batches that outlives the process, with room for so many of them.
    private final class ObjectStore: BatchHome {
        /// What a limit counts: it is in hundredths.
        static let bytes = 4000
        let bound: ByteBudget?
        let isDurable = true
        private let heap: HeapHome
        private let limit: ByteBudget
        private let objects = Lock<Set<ObjectIdentifier>>([])

        init(heap: HeapHome, limit: Int) {
            self.heap = heap
            self.limit = ByteBudget(limit: limit)
            self.bound = self.limit
        }

        var count: Int { self.objects.withLock { $0.count } }

        func hasRoom(for bytes: Int, next: Int, rank: Int) -> Bool { self.limit.hasRoom(for: Self.bytes, rank: rank) }

        func allocate(_ demand: BatchDemand, next: inout Int) -> BatchAllocation {
            guard self.limit.charge(Self.bytes, rank: 6) else { return .homeFull }
            guard let memory = self.heap.allocateNew(demand) else { return .memoryFull }
            memory.reserveFile(Self.bytes)
            return .memory(memory)
        }

        func seal(_ memory: BatchMemory) -> Bool {
            self.objects.withLock { _ = $0.insert(ObjectIdentifier(memory)) }
            return true
        }

        func keeps(_ memory: BatchMemory) -> Bool {
            self.objects.withLock { $0.contains(ObjectIdentifier(memory)) }
        }

        func leave(_ memory: BatchMemory) {
            self.limit.release(memory.takeReserved())
            self.heap.leave(memory)
        }

        func free(_ memory: BatchMemory) {
            self.objects.withLock { _ = $0.remove(ObjectIdentifier(memory)) }
            self.leave(memory)
        }
    }

    /// Appends a record, which has a batch for itself.
    private func append(_ level: LogLevel, sealing: Bool = true) -> AppendAnswer {
        let answer = Array("\"m\":\"\"}".utf8).withUnsafeBytes {
            self.queue.append($0, rank: level.rank, repairs: RepairCounts())
        }
        if sealing { _ = self.queue.state.withLock { self.queue.sealOpen(in: &$0) } }
        return answer
    }

    @Test func aHomeHasWhatIsSealedUntilItIsSettled() throws {
        #expect(self.append(.error) == .accepted && self.append(.error) == .accepted && self.store.count == 2)
        for _ in 0..<2 {
            let batch = try #require(self.queue.take())
            let part = BatchRange(batch: batch, ranges: [batch.all], isLast: true)
            self.queue.settle(part, as: .delivered(rawBytes: 1, wireBytes: 1))
        }
        #expect(self.store.count == 0 && self.store.bound?.heldBytes == 0 && self.heap.budget.heldBytes == 0)
        #expect(self.queue.tally.delivered.total == 2)
    }

    @Test func aHomeThatIsFullHasTheLeastSevereBatchEvicted() {
        for level in [LogLevel.error, .info, .error, .error] { #expect(self.append(level) == .accepted) }
        #expect(self.queue.tally.dropped[.spoolFull][LogLevel.info.rank] == 1 && self.store.count == 3)
        #expect(self.append(.info) == .dropped(.spoolFull))
    }

    @Test func whatAHomeKeepsIsPendingAfterTheEnd() {
        #expect(self.append(.info) == .accepted && self.append(.info, sealing: false) == .accepted)
        var outcome = Outcome()
        let rest = self.queue.abandon(addingTo: &outcome)
        // The open batch was not in the home.
        #expect(rest.spooled.count == 1 && outcome.pending == 1 && rest.dropped == 1)
        #expect(self.store.bound?.heldBytes == 0 && self.heap.budget.heldBytes == 0)
    }
}
