//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// The folders that a producer holds, so that a simulated death can let go of their locks as the kernel does.
final class SpoolHold: Sendable {
    private struct Entry {
        weak var box: SpoolBox?
    }

    private let entries = Lock<[Entry]>([])

    func note(_ box: SpoolBox) {
        self.entries.withLock { entries in
            entries.removeAll { $0.box == nil }
            entries.append(Entry(box: box))
        }
    }

    /// The folders that are still held.
    var boxes: [SpoolBox] { self.entries.withLock { $0.compactMap(\.box) } }

    /// Lets go of all locks, and leaves all files as they are; returns the folders' paths.
    func letGo() -> [String] {
        let boxes = self.entries.withLock { $0.compactMap(\.box) }
        for box in boxes { box.letGo() }
        return boxes.map(\.path)
    }
}
