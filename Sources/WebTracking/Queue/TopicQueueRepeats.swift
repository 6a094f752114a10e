// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

extension TopicQueue.State {
    /// Takes note of a record that later ones may be the same as.
    @inline(never)
    mutating func remember(_ record: EncodedRecord, from start: Int, rank: Int) {
        var lastRecord = self.lastRecord ?? RepeatedRecord()
        lastRecord.remember(
            UnsafeRawBufferPointer(rebasing: record.members[start...]),
            rank: rank,
            sequence: record.sequence
        )
        self.lastRecord = lastRecord
    }
}

extension TopicQueue {
    /// Whether a record is the same as the last one, and counted as such; before another one, what was counted is told.
    @inline(never)
    func isRepeated(
        _ members: UnsafeRawBufferPointer,
        rank: Int,
        comparedFrom start: Int?,
        in state: inout State
    ) -> Bool {
        if let start, state.takesRecords {
            let text = UnsafeRawBufferPointer(rebasing: members[start...])
            if state.lastRecord?.countIfRepeated(text, rank: rank) == true {
                state.drop(.repeated, rank: rank, isSynthetic: false)
                return true
            }
        }
        self.appendRepeatCount(in: &state)
        return false
    }

    /// Puts a record behind the last one that tells how often that has come again, if it has.
    func appendRepeatCount(in state: inout State) {
        guard let lastRecord = state.lastRecord.take(), lastRecord.repeats > 0,
            let reported = self.context.repetition(lastRecord)
        else { return }
        reported.members.withUnsafeBytes { members in
            guard self.hasRoomForSynthetic(members, in: state) else {
                // Told with other drops, once there is room.
                state.unannounced[.repeated][lastRecord.rank] += lastRecord.repeats
                return
            }
            let record = EncodedRecord(
                opening: self.context.recordOpening,
                sequence: self.context.nextSequence(),
                members: members
            )
            let rank = reported.rank
            guard !state.put(record, rank: rank, isSynthetic: true, policy: self.context.sealPolicy) else { return }
            _ = self.appendToNewBatch(record, rank: rank, isSynthetic: true, isUrgent: false, in: &state)
        }
    }
}
