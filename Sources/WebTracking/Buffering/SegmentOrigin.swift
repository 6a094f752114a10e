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

/// The segment that others were split off, whose file, if it has one, has to stay until all of them are done with.
final class SegmentOrigin: Sendable {
    let memory: SegmentMemory
    private let parts: Atomic<Int>
    private let parent: SegmentOrigin?

    init(memory: SegmentMemory, parts: Int, parent: SegmentOrigin?) {
        self.memory = memory
        self.parts = Atomic(parts)
        self.parent = parent
    }

    /// The file of the segment, or of what it was split off itself.
    var spoolFile: SpoolFile? { self.memory.file ?? self.parent?.spoolFile }

    /// Lets go of the mapping of the file.
    func park() {
        self.memory.park()
        self.parent?.park()
    }

    /// Counts one part as done with; returns the memory that nobody needs any more.
    func finishPart() -> [SegmentMemory] {
        guard self.parts.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return [] }
        return [self.memory] + (self.parent?.finishPart() ?? [])
    }
}
