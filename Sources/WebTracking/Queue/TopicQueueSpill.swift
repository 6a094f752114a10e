// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// What was gathered in memory since no file was ready, and moves to files; and what was in files that have gone, as far as
/// it is in memory still.
extension TopicQueue {
    /// Moves what waits in memory to files, the oldest first, as far as there are any, and says how many records are left.
    /// Called on the spool's worker; with `isForced` at once, and as if files had gone.
    ///
    /// A batch has got its place among the others when it was opened, so a process that dies now leaves them in order.
    func spillToFiles(isForced: Bool = false) -> Int {
        guard let spool = self.context.spool else { return 0 }
        let now = self.context.clock.now()
        let isDue = self.state.withLock { state -> Bool in
            if isForced {
                state.hasUnspooled = true
                state.spillAt = nil
            }
            return state.hasUnspooled && !state.isAbandoned && state.spillAt.map { now >= $0 } ?? true
        }
        guard isDue else { return self.unspooled }
        self.spillInFlight(in: spool)
        repeat {
            // One for which there is no file stands in the way of no other: their places among the batches are theirs.
            for batch in self.waitingUnspooled {
                guard let copy = self.spooled(batch, in: spool) else { continue }
                copy.memory.unmap()
                if self.replaceWaiting(batch, by: copy) {
                    self.free(batch)
                } else if !self.keepForInFlight(copy, of: batch) {
                    spool.release(copy.memory)
                }
            }
        } while !self.moveOpen(in: spool)
        self.state.withLock { state in
            state.hasUnspooled =
                state.isInFlightUnspooled || state.open?.isUnspooled ?? false
                || state.sealed.contains(where: \.isUnspooled)
        }
        return self.unspooled
    }

    /// How many records are in memory only, although they belong into a file.
    var unspooled: Int {
        self.state.withLock { state in
            guard state.hasUnspooled, !state.isAbandoned else { return 0 }
            let hand = state.inFlight.reduce(0) { $0 + ($1.isUnspooled ? $1.left.total : 0) }
            let waiting = state.sealed.reduce(0) { $0 + ($1.isUnspooled ? $1.count : 0) }
            return hand + waiting + (state.open.map { $0.isUnspooled ? $0.count : 0 } ?? 0)
        }
    }

    /// Moves the open batch to a file, in which it goes on filling; `false` if it is not open any more, and waits. What is
    /// there already is copied beside the callers, so that only what has come since is copied in the critical section.
    private func moveOpen(in spool: SpoolStore) -> Bool {
        let open = self.state.withLock { state -> Batch? in
            guard !state.isAbandoned, let open = state.open, open.isUnspooled else { return nil }
            return open
        }
        guard let open, let label = open.label, let memory = self.file(for: open, in: spool) else { return true }
        var copy = open.copied(to: memory, label: label)
        let old = self.state.withLock { state -> Batch? in
            guard !state.isAbandoned, let present = state.open, present.memory === open.memory else { return nil }
            copy.append(recordsOf: present)
            state.open = copy
            self.context.budget.charge(copy.heldBytes)
            return present
        }
        guard let old else {
            let bytes = memory.file?.bytes ?? 0
            copy.seal()
            spool.release(memory)
            // Sealed in the meantime, it is copied as a whole.
            self.state.withLock { state in
                guard state.isHeld(open) else { return }
                spool.reserveFile(bytes)
                open.memory.reserveFile(bytes)
            }
            return false
        }
        self.free(old)
        return true
    }

    /// Puts copies of the batches in flight into files, from where a next start takes them unless they are settled before. The
    /// actor goes on with what it has.
    private func spillInFlight(in spool: SpoolStore) {
        // One that is not mapped may be getting its mapping right now.
        let inFlight = self.state.withLock { $0.inFlight.filter { $0.isMapped && $0.isUnspooled }.map(\.batch) }
        for hand in inFlight {
            guard let copy = self.spooled(hand, in: spool) else { continue }
            copy.memory.unmap()
            if !self.keepForInFlight(copy, of: hand) { spool.release(copy.memory) }
        }
    }

    /// Notes that a batch has a copy in a file; `false` if it is not in flight.
    private func keepForInFlight(_ copy: Batch, of batch: Batch) -> Bool {
        self.state.withLock { state in
            guard !state.isAbandoned, let place = state.place(of: batch), !state.inFlight[place].isDone,
                state.inFlight[place].copy == nil
            else { return false }
            state.inFlight[place].copy = copy
            return true
        }
    }

    /// The batches that wait in memory and could be in files, the oldest first.
    private var waitingUnspooled: [Batch] { self.state.withLock { $0.sealed.filter(\.isUnspooled) } }

    /// A copy of a batch in a file; `nil` if there is none to be had.
    private func spooled(_ batch: Batch, in spool: SpoolStore) -> Batch? {
        guard let label = batch.label, let memory = self.file(for: batch, in: spool) else { return nil }
        return spool.fill(memory) { batch.copied(to: memory, label: label) }
    }

    /// A file for a batch. Where there is none, this topic asks again after a while, and others when they like.
    private func file(for batch: Batch, in spool: SpoolStore) -> BatchMemory? {
        let isFirst = self.state.withLock { $0.spillAt == nil }
        // The one that is held for it, or one beside.
        let reserved = batch.memory.takeReserved()
        let rank = batch.highestRank
        // An open one may go on filling up to all of its memory.
        let isOpen = batch.levels == nil
        let capacity = isOpen ? max(batch.memory.capacity, batch.bytesForCopy) : batch.bytesForCopy
        switch spool.takeForSpill(capacity: capacity, rank: rank, reserved: reserved, isReported: isFirst) {
        case .memory(let memory):
            self.state.withLock { $0.spillAt = nil }
            return memory
        case .full, .reserved, .unavailable:
            let next = self.context.clock.now() + SpoolStore.pause
            self.state.withLock { state in
                state.spillAt = next
                // Delivered in the meantime, it needs none.
                if state.isHeld(batch) { batch.memory.reserveFile(reserved) } else { spool.cancelReservation(reserved) }
            }
            return nil
        }
    }

    /// Puts a copy in the place of a batch that waits; `false` if it waits no more.
    private func replaceWaiting(_ batch: Batch, by copy: Batch) -> Bool {
        self.state.withLock { state in
            guard let index = state.sealed.firstIndex(where: { $0.memory === batch.memory }) else { return false }
            var copy = copy
            copy.evictedBehind = state.sealed[index].evictedBehind
            state.sealed[index] = copy
            state.lowestSpooledRank = min(state.lowestSpooledRank, copy.highestRank)
            return true
        }
    }
}
