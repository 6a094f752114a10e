// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What accepted records survive.
public enum Durability: Sendable, Equatable {
    /// Nothing: records are held in memory only, and are lost with the process.
    case memory
    /// The death of the process at any time, for example by `SIGKILL`. Records are written to memory-mapped files in
    /// ``WebTrackingConfiguration/spool``, and the next start delivers those that are left.
    case process
    /// Also the loss of power, except for the records of the last `interval` (10 milliseconds to an hour) and of one
    /// round of syncs. If a round takes longer than the interval,
    /// ``ProducerDiagnostic/spoolSyncSlow(directory:took:interval:)`` reports it.
    case power(interval: Duration = .milliseconds(500))

    /// The range of the interval.
    static let syncIntervals = Duration.milliseconds(10) ... .seconds(3600)

    /// The time between two syncs; `nil` if files are not synced.
    var syncInterval: Duration? {
        if case .power(let interval) = self { interval } else { nil }
    }
}

extension WebTrackingConfiguration {
    /// Where records are kept that are to survive the process.
    public struct Spool: Sendable, Equatable {
        /// The directory for the files of records, on a local disk. Processes can share it.
        ///
        /// If it does not exist, it is made, for its owner alone (mode 0700). On a network disk, a folder's lock may
        /// outlive its process.
        ///
        /// If other users may write to it, such as to a mount point, and it belongs to the process's user or to root, a
        /// folder inside of it is used instead. A symbolic link is refused, also with a slash behind it.
        ///
        /// Range: an absolute path of at most 1024 bytes; required unless durability is `.memory`, and refused with
        /// `.memory`.
        public var directory: String?
        /// The bytes of this producer's files, with all that dead producers left in the directory.
        ///
        /// Each level may fill the same part of them as of ``WebTrackingConfiguration/memoryLimit``. Beyond that,
        /// batches are dropped, and counted as ``DropReason/spoolFull``. Each counts as its most severe record: the
        /// least severe batch is dropped first, of these the oldest. A record that is less severe than all of them is
        /// dropped itself.
        ///
        /// The bound is for all dead producers of a directory **together**, however many there were, and for this one.
        /// The first look of a start drops what exceeds it. If several processes share a directory, set the bound for
        /// all of them, or give each process its own directory.
        ///
        /// Range: 1 MiB to 1 TiB.
        public var maximumBytes = 1 << 30
        /// The age at which records of an earlier process are dropped, by the wall clock.
        ///
        /// Range: 1 s to 366 days.
        public var maximumAge = Duration.seconds(7 * 86_400)
        /// Which folders and files are used: `.owner` those of the process's user that no other user may write to, `.group`
        /// also those that a group of the process may write to.
        public var permits = Permits.owner
        /// Whether a start tells of processes that ended without a stop.
        ///
        /// If not, this one's end is not told either. The record is of level `error` and label `webtracking`. It has the topic
        /// of the records that came back, or the base topic of the process's producer if they had several or none came back.
        public var reportsUnexpectedExits = true
        /// Whether to deliver everything that dead producers left, without a bound on size or age, and as root for all
        /// users.
        ///
        /// Nothing is dropped because its delivery takes long: ``WebTrackingConfiguration/Delivery/maximumAge`` and
        /// ``WebTrackingConfiguration/Delivery/refusalPatience`` do not apply. An answer that is otherwise final, such
        /// as a forbidden project, is retried. If the service refuses a single record for its content, the record
        /// counts as dropped, and its whole file is kept in `damaged`. In another user's directory, root keeps the
        /// program's own records in memory.
        ///
        /// For programs that rescue the records of a directory, as `webtracking spool replay` does. There is no key for
        /// it.
        public var isRescue = false

        /// Decides which users' folders and files of a spool directory are used.
        public enum Permits: String, Sendable, CaseIterable {
            /// Those of the process's user that no other user may write to.
            case owner
            /// Also those that a group of the process may write to, and no other user. New files are open to the group.
            /// For volumes with files that Kubernetes gives to a group (`fsGroup`).
            case group
        }

        /// The defaults.
        public init() {}
    }

    /// The spool's directory; `nil` if there is no spool.
    var spoolDirectory: String? {
        self.durability == .memory ? nil : self.spool.directory
    }
}

extension WebTrackingConfiguration.Spool {
    /// Throws for the first setting that a program has changed although there is no spool.
    func checkUnused() throws {
        for (own, standard) in zip(self.texts, Self().texts) where own.value != standard.value {
            throw Self.unusedError("spool.\(own.name)", own.value)
        }
    }

    private var texts: [(name: String, value: String)] {
        [
            ("directory", self.directory ?? ""), ("maximumBytes", "\(self.maximumBytes)"),
            ("maximumAge", "\(self.maximumAge)"), ("permits", self.permits.rawValue),
            ("reportsUnexpectedExits", "\(self.reportsUnexpectedExits)"), ("isRescue", "\(self.isRescue)"),
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

    /// Whether the producer writes down who it is, and tells of the ends of others. A rescue is no program's start.
    var tellsOfItself: Bool { self.reportsUnexpectedExits && !self.isRescue }

    /// The bytes that files may use. For a rescue, more than any disk has.
    var bound: Int { self.isRescue ? 1 << 50 : self.maximumBytes }
}
