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

/// What was gathered in memory since no file was ready, and moves to files; and what was in files that have gone, as far as
/// it is in memory still.
extension TopicBuffer {
    /// Moves what waits in memory to files, the oldest first, as far as there are any, and says how many records are left.
    /// Called on the spool's worker; with `isForced` at once, and as if files had gone.
    ///
    /// A batch has got its place among the others when it was opened, so a process that dies now leaves them in order.
    func returnToFiles(isForced: Bool = false) -> Int {
        guard let spool = self.context.spool else { return 0 }
        let now = self.context.clock.now()
        let isDue = self.state.withLock { state -> Bool in
            if isForced {
                state.hasUnspooled = true
                state.returnAt = nil
            }
            return state.hasUnspooled && !state.isAbandoned && state.returnAt.map { now >= $0 } ?? true
        }
        guard isDue else { return self.unspooled }
        self.returnHand(in: spool)
        repeat {
            // One for which there is no file stands in the way of no other: their places among the batches are theirs.
            for segment in self.waitingUnspooled {
                guard let copy = self.spooled(segment, in: spool) else { continue }
                copy.memory.park()
                if self.replaceWaiting(segment, by: copy) {
                    self.giveBack(segment)
                } else if !self.keepForHand(copy, of: segment) {
                    spool.finish(copy.memory)
                }
            }
        } while !self.moveOpen(in: spool)
        self.state.withLock { state in
            state.hasUnspooled =
                state.isHandUnspooled || state.open?.isUnspooled ?? false || state.sealed.contains(where: \.isUnspooled)
        }
        return self.unspooled
    }

    /// How many records are in memory only, although they belong into a file.
    var unspooled: Int {
        self.state.withLock { state in
            guard state.hasUnspooled, !state.isAbandoned else { return 0 }
            let hand = state.hands.reduce(0) { $0 + ($1.isUnspooled ? $1.left.total : 0) }
            let waiting = state.sealed.reduce(0) { $0 + ($1.isUnspooled ? $1.count : 0) }
            return hand + waiting + (state.open.map { $0.isUnspooled ? $0.count : 0 } ?? 0)
        }
    }

    /// Moves the open segment to a file, in which it goes on filling; `false` if it is not open any more, and waits. What is
    /// there already is copied beside the callers, so that only what has come since is copied in the critical section.
    private func moveOpen(in spool: SpoolStore) -> Bool {
        let open = self.state.withLock { state -> Segment? in
            guard !state.isAbandoned, let open = state.open, open.isUnspooled else { return nil }
            return open
        }
        guard let open, let label = open.label, let memory = self.file(for: open, in: spool) else { return true }
        var copy = open.copied(to: memory, label: label)
        let old = self.state.withLock { state -> Segment? in
            guard !state.isAbandoned, let present = state.open, present.memory === open.memory else { return nil }
            copy.append(recordsOf: present)
            state.open = copy
            self.context.budget.charge(copy.heldBytes)
            return present
        }
        guard let old else {
            let bytes = memory.file?.bytes ?? 0
            copy.seal()
            spool.finish(memory)
            // Sealed in the meantime, it is copied as a whole.
            self.state.withLock { state in
                guard state.isHeld(open) else { return }
                spool.owe(bytes)
                open.memory.owe(bytes)
            }
            return false
        }
        self.giveBack(old)
        return true
    }

    /// Puts copies of the batches in hand into files, from where a next start takes them unless they are settled before. The
    /// actor goes on with what it has.
    private func returnHand(in spool: SpoolStore) {
        // One that is not mapped may be getting its mapping right now.
        let hands = self.state.withLock { $0.hands.filter { $0.isMapped && $0.isUnspooled }.map(\.segment) }
        for hand in hands {
            guard let copy = self.spooled(hand, in: spool) else { continue }
            copy.memory.park()
            if !self.keepForHand(copy, of: hand) { spool.finish(copy.memory) }
        }
    }

    /// Notes that a batch has a copy in a file; `false` if it is not in hand.
    private func keepForHand(_ copy: Segment, of segment: Segment) -> Bool {
        self.state.withLock { state in
            guard !state.isAbandoned, let place = state.place(of: segment), !state.hands[place].isDone,
                state.hands[place].copy == nil
            else { return false }
            state.hands[place].copy = copy
            return true
        }
    }

    /// The segments that wait in memory and could be in files, the oldest first.
    private var waitingUnspooled: [Segment] { self.state.withLock { $0.sealed.filter(\.isUnspooled) } }

    /// A copy of a segment in a file; `nil` if there is none to be had.
    private func spooled(_ segment: Segment, in spool: SpoolStore) -> Segment? {
        guard let label = segment.label, let memory = self.file(for: segment, in: spool) else { return nil }
        return spool.fill(memory) { segment.copied(to: memory, label: label) }
    }

    /// A file for a segment. Where there is none, this topic asks again after a while, and others when they like.
    private func file(for segment: Segment, in spool: SpoolStore) -> SegmentMemory? {
        let isFirst = self.state.withLock { $0.returnAt == nil }
        // The one that is held for it, or one beside.
        let owed = segment.memory.takeOwed()
        let rank = segment.highestRank
        // An open one may go on filling up to all of its memory.
        let isOpen = segment.levels == nil
        let capacity = isOpen ? max(segment.memory.capacity, segment.bytesForCopy) : segment.bytesForCopy
        switch spool.takeForReturn(capacity: capacity, rank: rank, owed: owed, isTold: isFirst) {
        case .memory(let memory):
            self.state.withLock { $0.returnAt = nil }
            return memory
        case .full, .owed, .unavailable:
            let next = self.context.clock.now() + SpoolStore.pause
            self.state.withLock { state in
                state.returnAt = next
                // Delivered in the meantime, it needs none.
                if state.isHeld(segment) { segment.memory.owe(owed) } else { spool.forgive(owed) }
            }
            return nil
        }
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
