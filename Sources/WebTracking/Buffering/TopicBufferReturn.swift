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
        guard let spool = self.context.spool, self.state.withLock({ $0.hasUnspooled }), spool.isWorthATry else {
            return
        }
        self.state.withLock { state in
            guard !state.isAbandoned, let open = state.open, open.memory.file == nil else { return }
            self.tellRepeats(in: &state)
            self.sealOpen(in: &state)
        }
        while let segment = self.firstUnspooled() {
            guard let copy = self.spooled(segment) else { return }
            copy.memory.park()
            guard self.replaceWaiting(segment, by: copy) else { return spool.finish(copy.memory) }
            self.giveBack(segment)
        }
    }

    /// A copy in a file of the segment in hand, which has to be all of a batch; `nil` if it stays where it is.
    func returnHand(_ segment: Segment) -> Segment? {
        guard segment.isUnspooled, self.context.spool?.isWorthATry ?? false, let copy = self.spooled(segment) else {
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
            case .memory(let memory) = spool.take(capacity: segment.bytesForCopy, rank: segment.highestRank)
        else { return nil }
        return spool.fill(memory) { segment.copied(to: memory, label: label) }
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
