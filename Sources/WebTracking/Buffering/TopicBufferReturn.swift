//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if SwiftLog
import Logging
#endif

/// What was gathered in memory since files could not be had, and moves to files once they can.
extension TopicBuffer {
    /// Moves what waits in memory to files, the oldest first, as far as there are any. Called by the actor: making files
    /// is not for threads that log.
    ///
    /// A batch has got its place among the others when it was opened, so a process that dies now leaves them in order.
    func returnToFiles() {
        guard let spool = self.context.spool, self.state.withLock({ $0.hasUnspooled }), self.mayReturn else { return }
        repeat {
            while let segment = self.firstUnspooled() {
                guard let copy = self.spooled(segment) else { return }
                copy.memory.park()
                guard self.replaceWaiting(segment, by: copy) else { return spool.finish(copy.memory) }
                self.giveBack(segment)
            }
        } while self.sealForReturn(in: spool)
    }

    /// Whether a file may be had for what waits in memory, as far as is known without asking.
    private var mayReturn: Bool {
        guard self.context.spool?.isWorthATry ?? false else { return false }
        let now = self.context.clock.now()
        return self.state.withLock { state in state.returnAt.map { now >= $0 } ?? true }
    }

    /// Seals the open segment if it is in memory and there is a file for it; one that stays where it is goes on filling.
    private func sealForReturn(in spool: SpoolStore) -> Bool {
        let open = self.state.withLock { state -> (bytes: Int, rank: Int)? in
            guard !state.isAbandoned, let open = state.open, open.memory.file == nil else { return nil }
            return (open.bytesForCopy, open.highestRank)
        }
        guard let open, let memory = self.file(capacity: open.bytes, rank: open.rank) else { return false }
        // It is kept for the copy.
        spool.finish(memory)
        return self.state.withLock { state -> Bool in
            guard !state.isAbandoned, let open = state.open, open.memory.file == nil else { return false }
            self.tellRepeats(in: &state)
            self.sealOpen(in: &state)
            return true
        }
    }

    /// A copy in a file of the segment in hand, which has to be all of a batch; `nil` if it stays where it is.
    func returnHand(_ segment: Segment) -> Segment? {
        guard segment.isUnspooled, self.mayReturn, let copy = self.spooled(segment) else {
            return nil
        }
        let isInHand = self.state.withLock { state -> Bool in
            guard !state.isAbandoned else { return false }
            state.isHandSpooled = true
            return true
        }
        guard isInHand else {
            self.context.spool?.finish(copy.memory)
            return nil
        }
        self.context.budget.charge(copy.heldBytes)
        self.giveBack(segment)
        return copy
    }

    /// The oldest segment in memory that could be in a file.
    private func firstUnspooled() -> Segment? {
        self.state.withLock { state in
            if let first = state.sealed.first(where: \.isUnspooled) { return first }
            state.hasUnspooled = state.open.map { $0.memory.file == nil } ?? false
            return nil
        }
    }

    /// A copy of a segment in a file; `nil` if there is none to be had.
    private func spooled(_ segment: Segment) -> Segment? {
        guard let spool = self.context.spool, let label = segment.memory.label,
            let memory = self.file(capacity: segment.bytesForCopy, rank: segment.highestRank)
        else { return nil }
        return spool.fill(memory) { segment.copied(to: memory, label: label) }
    }

    /// A file for so many bytes. Where there is none, this topic asks again after a while, and others when they like.
    private func file(capacity: Int, rank: Int) -> SegmentMemory? {
        let isFirst = self.state.withLock { $0.returnAt == nil }
        let answer = self.context.spool?.takeForReturn(capacity: capacity, rank: rank, isTold: isFirst)
        let now = self.context.clock.now()
        guard case .memory(let memory) = answer else {
            if case .unavailable = answer { self.state.withLock { $0.returnAt = now + SpoolStore.pause } }
            return nil
        }
        self.state.withLock { $0.returnAt = nil }
        return memory
    }

    /// Puts a copy in the place of a segment that waits; `false` if it waits no more.
    private func replaceWaiting(_ segment: Segment, by copy: Segment) -> Bool {
        self.state.withLock { state in
            guard let index = state.sealed.firstIndex(where: { $0.memory === segment.memory }) else { return false }
            var copy = copy
            copy.evictedBehind = state.sealed[index].evictedBehind
            state.sealed[index] = copy
            state.lowestSpooledRank = min(state.lowestSpooledRank, copy.highestRank)
            return true
        }
    }
}
