// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The records of a batch by level, all of them and without those that this library wrote itself.
///
/// Behind a reference, so that the batch that records are put into stays small.
final class BatchLevels: Sendable {
    let all: LevelCounts
    let own: LevelCounts

    init(all: LevelCounts, own: LevelCounts) {
        self.all = all
        self.own = own
    }
}
