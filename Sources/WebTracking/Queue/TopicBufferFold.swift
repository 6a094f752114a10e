//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

extension TopicBuffer.State {
    /// Takes note of a record that later ones may be the same as.
    @inline(never)
    mutating func remember(_ record: EncodedRecord, from start: Int, rank: Int) {
        var fold = self.fold ?? RecordFold()
        fold.remember(
            UnsafeRawBufferPointer(rebasing: record.members[start...]),
            rank: rank,
            sequence: record.sequence
        )
        self.fold = fold
    }
}

extension TopicBuffer {
    /// Whether a record is the same as the last one, and counted as such; before another one, what was counted is told.
    @inline(never)
    func isRepeated(
        _ members: UnsafeRawBufferPointer,
        rank: Int,
        foldedFrom start: Int?,
        in state: inout State
    ) -> Bool {
        if let start, state.takesRecords {
            let text = UnsafeRawBufferPointer(rebasing: members[start...])
            if state.fold?.countIfRepeated(text, rank: rank) == true {
                state.drop(.repeated, rank: rank, isSynthetic: false)
                return true
            }
        }
        self.tellRepeats(in: &state)
        return false
    }

    /// Puts a record behind the last one that tells how often that has come again, if it has.
    func tellRepeats(in state: inout State) {
        guard let fold = state.fold.take(), fold.repeats > 0, let told = self.context.repetition(fold) else { return }
        told.members.withUnsafeBytes { members in
            guard self.hasRoomForSynthetic(members, in: state) else {
                // Told with other drops, once there is room.
                state.unannounced[.repeated][fold.rank] += fold.repeats
                return
            }
            let record = EncodedRecord(
                opening: self.context.recordOpening,
                sequence: self.context.nextSequence(),
                members: members
            )
            let rank = told.rank
            guard !state.put(record, rank: rank, isSynthetic: true, policy: self.context.sealPolicy) else { return }
            _ = self.appendElsewhere(record, rank: rank, isSynthetic: true, isUrgent: false, in: &state)
        }
    }
}
