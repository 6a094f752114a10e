//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// What accepted records survive.
public enum Durability: Sendable, Equatable {
    /// Nothing: records are held in memory, and lost with the process.
    case memory
    /// The death of the process at any instruction, for example by `SIGKILL`. Records live in memory-mapped files of
    /// ``WebTrackingConfiguration/spool``, and the next start delivers what was left.
    case process
    /// The loss of power, too, but for the records of the last `interval` (10 milliseconds to an hour) and of one round of
    /// syncs, which ``ProducerDiagnostic/spoolSyncSlow(directory:took:interval:)`` tells of if it is longer than that.
    case power(interval: Duration = .milliseconds(500))

    /// How often files are synced; `nil` for never.
    var syncInterval: Duration? {
        if case .power(let interval) = self { interval } else { nil }
    }
}

extension WebTrackingConfiguration {
    /// Where records live that are to survive the process.
    public struct Spool: Sendable, Equatable {
        /// The directory, which is made if it is not there, for its owner alone (mode 0700). Producers of any number of
        /// processes can share it. It has to be on a local disk: the lock of a folder ends with its process there.
        public var directory: String?
        /// The bytes that this producer's files may take up, with those that it adopts (1 MiB to 1 TiB).
        ///
        /// Each level may fill the part of them that it may fill of ``WebTrackingConfiguration/memoryLimit``. Beyond it, the
        /// spooled batch whose most severe record is the least severe is dropped, the oldest of those first, and counted
        /// as ``DropReason/spoolFull``; a record that is less severe than all of them is dropped itself.
        ///
        /// What dead producers left in one directory is bounded by it **together**, with what this one holds, however many
        /// they were: the first look of a start drops what is beyond it. Where several processes share a directory, set it
        /// for all of them, or give each a directory of its own.
        public var maximumBytes = 1 << 30
        /// How old records of an earlier process get before they are dropped, by the wall clock (1 second to a year).
        public var maximumAge = Duration.seconds(7 * 86_400)

        /// The defaults.
        public init() {}
    }

    /// The spool's directory, if there is to be a spool.
    var spoolDirectory: String? {
        self.durability == .memory ? nil : self.spool.directory
    }
}
