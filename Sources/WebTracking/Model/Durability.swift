// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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

    /// The intervals that there can be.
    static let syncIntervals = Duration.milliseconds(10) ... .seconds(3600)

    /// How often files are synced; `nil` for never.
    var syncInterval: Duration? {
        if case .power(let interval) = self { interval } else { nil }
    }
}

extension WebTrackingConfiguration {
    /// Where records live that are to survive the process.
    public struct Spool: Sendable, Equatable {
        /// The directory of the records' files, on a local disk. Any number of processes can share it.
        ///
        /// It is made if it is not there, for its owner alone (mode 0700). On a disk of the network, the lock of a folder
        /// may not end with its process.
        ///
        /// Where it is the process's user's or root's and others may write to it, such as a mount point, a folder is made in
        /// it and used instead. A link is refused, with a slash behind it too.
        ///
        /// Range: an absolute path of at most 1024 bytes; required unless durability is `.memory`, and refused with that.
        public var directory: String?
        /// The bytes that this producer's files may take up, with those that it takes over, and what all dead producers left
        /// in the directory together.
        ///
        /// Each level may fill the part of them that it may fill of ``WebTrackingConfiguration/memoryLimit``. Beyond it, the
        /// spooled batch whose most severe record is the least severe is dropped, the oldest of those first, and counted
        /// as ``DropReason/spoolFull``; a record that is less severe than all of them is dropped itself.
        ///
        /// What dead producers left in one directory is bounded by it **together**, with what this one holds, however many
        /// they were: the first look of a start drops what is beyond it. Where several processes share a directory, set it
        /// for all of them, or give each a directory of its own.
        ///
        /// Range: 1 MiB to 1 TiB.
        public var maximumBytes = 1 << 30
        /// How old records of an earlier process get before they are dropped, by the wall clock.
        ///
        /// Range: 1 s to 366 days.
        public var maximumAge = Duration.seconds(7 * 86_400)
        /// Which folders and files are used: `.owner` those of the process's user that no other user may write to, `.group`
        /// also those that one of the process's groups may write to.
        public var permits = Permits.owner
        /// Whether all that dead producers left is delivered, without a bound on size or age, and for root of all users.
        ///
        /// Nothing of that is dropped for the time it takes: neither ``WebTrackingConfiguration/Delivery/maximumAge`` nor
        /// ``WebTrackingConfiguration/Delivery/refusalPatience`` is for it, and what is a refusal for good elsewhere (a project
        /// that is forbidden) is waited out. A single record that is refused for what is in it counts as dropped, and its
        /// whole file is kept in `damaged`. In another user's directory root keeps what the program logs itself in memory.
        ///
        /// For programs that save a directory's records, as `webtracking spool replay` does. It has no key.
        public var isRescue = false

        /// Whose folders and files of a spool directory are used.
        public enum Permits: String, Sendable, CaseIterable {
            /// Those of the process's user that nobody else may write to.
            case owner
            /// Those, too, that a group of the process may write to and nobody else may. What is made is open to the group.
            /// For volumes whose files Kubernetes gives to a group (`fsGroup`).
            case group
        }

        /// The defaults.
        public init() {}
    }

    /// The spool's directory, if there is to be a spool.
    var spoolDirectory: String? {
        self.durability == .memory ? nil : self.spool.directory
    }
}

extension WebTrackingConfiguration.Spool {
    /// Throws for the first setting that a program has changed, and that has no effect without a durability.
    func checkUnused() throws {
        for (own, standard) in zip(self.texts, Self().texts) where own.value != standard.value {
            throw Self.unusedError("spool.\(own.name)", own.value)
        }
    }

    private var texts: [(name: String, value: String)] {
        [
            ("directory", self.directory ?? ""), ("maximumBytes", "\(self.maximumBytes)"),
            ("maximumAge", "\(self.maximumAge)"), ("permits", self.permits.rawValue), ("isRescue", "\(self.isRescue)"),
        ]
    }

    static func unusedError(_ setting: String, _ value: String) -> ConfigurationError {
        ConfigurationError(
            setting: setting,
            value: value,
            rule: "while durability is memory there is no spool, so it would have no effect",
            suggestion: "Set durability to process or power, or remove \(setting)."
        )
    }

    /// The bytes that files may take up: for a rescue more than there can be.
    var bound: Int { self.isRescue ? 1 << 50 : self.maximumBytes }
}
