//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Synchronization

/// What all topics of a producer share.
final class BufferContext: Sendable {
    let clock: any ProducerClock
    let source: String
    let staticTags: [(key: String, value: String)]
    let sealPolicy: SealPolicy
    let budget: MemoryBudget
    let recycler = SegmentRecycler()
    /// What stands before a record's sequence number, or before its first member where there is none.
    let recordPrefix: [UInt8]
    /// Starts delivery for a buffer; runs until the buffer lets it go.
    let startWorker: @Sendable (TopicBuffer) async -> Void
    private let hasSequence: Bool
    private let sequence = Atomic<UInt64>(0)

    init(
        clock: any ProducerClock,
        source: String,
        staticTags: [(key: String, value: String)],
        sealPolicy: SealPolicy,
        budget: MemoryBudget,
        sequenceName: String?,
        startWorker: @escaping @Sendable (TopicBuffer) async -> Void
    ) {
        self.clock = clock
        self.source = source
        self.staticTags = staticTags
        self.sealPolicy = sealPolicy
        self.budget = budget
        self.hasSequence = sequenceName != nil
        self.startWorker = startWorker
        var writer = ByteWriter(capacity: 64)
        writer.append(UInt8(ascii: "{"))
        if let sequenceName {
            writer.append(UInt8(ascii: "\""))
            writer.append(escaping: sequenceName)
            writer.append(literal: "\":\"")
        }
        self.recordPrefix = writer.withBytes { Array($0) }
    }

    /// The number of the next record, from 1; called inside a topic's critical section, so that the numbers of a topic
    /// rise in the order of its records.
    @inline(__always)
    func nextSequence() -> UInt64? {
        self.hasSequence ? self.sequence.add(1, ordering: .relaxed).newValue : nil
    }
}

/// Keeps the memory of a few segments that are done with, since fresh memory has to be mapped and zeroed by the system.
final class SegmentRecycler: Sendable {
    /// At most this many are kept, of at most this size: 4 MiB beside the memory limit.
    private static let kept = 8
    private static let largest = 512 << 10

    private let free = Lock<[[UInt8]]>([])

    func take() -> [UInt8] {
        self.free.withLock { $0.popLast() } ?? []
    }

    func give(_ memory: consuming [UInt8]) {
        guard memory.capacity > 0, memory.capacity <= Self.largest else { return }
        let memory = memory
        self.free.withLock { free in
            if free.count < Self.kept { free.append(memory) }
        }
    }
}
