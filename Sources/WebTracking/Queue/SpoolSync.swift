// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTrackingPlatform

/// When the files of a spool are synced next, and whether that takes longer than it may.
struct SyncSchedule {
    private let interval: Duration
    /// When the next round begins. Rounds begin one interval apart. A record that is written just after the sync of its
    /// file is on the disk when the next round ends: after one interval and one round at most.
    private(set) var next: MonotonicInstant
    private var isSlow = false

    init(interval: Duration, now: MonotonicInstant) {
        self.interval = interval
        self.next = now + interval
    }

    /// Notes the end of a round. Returns its duration if it is longer than the interval, and the round before was not.
    mutating func finished(from start: MonotonicInstant, to end: MonotonicInstant) -> Duration? {
        self.next = start + self.interval
        let wasSlow = self.isSlow
        self.isSlow = end - start > self.interval
        return self.isSlow && !wasSlow ? end - start : nil
    }
}

/// What has changed in a spool since the last sync.
struct SyncLedger {
    /// What one round of syncs has to bring to the disk.
    struct Round {
        let files: [String]
        /// The folder of new files; `nil` if there are none, or if there is no folder at present.
        let folder: String?
        /// Directories above the spool's that have a new entry.
        let parents: Set<String>
    }

    /// Files that may have been written to.
    private var written: Set<String> = []
    /// Those of them with an open batch.
    private var open: Set<String> = []
    private var hasNewFiles = false
    private var newParents: Set<String> = []

    mutating func noteOpened(_ file: String, isNew: Bool) {
        self.written.insert(file)
        self.open.insert(file)
        if isNew { self.hasNewFiles = true }
    }

    /// Nothing more is written to the file.
    mutating func noteSealed(_ file: String) { self.open.remove(file) }

    /// The file's records are settled, so they need not be on the disk.
    mutating func noteFinished(_ file: String) {
        self.open.remove(file)
        self.written.remove(file)
    }

    /// New directories were made in these.
    mutating func noteMade(in parents: some Sequence<String>) { self.newParents.formUnion(parents) }

    /// The next round, with `folder` as the producer's. Open files will be written to again, so they are also in the
    /// round after it.
    mutating func beginRound(folder: String?) -> Round {
        let files = Array(self.written)
        self.written = self.open
        // A parent of a file that could not be made is synced with the next file that is made.
        guard self.hasNewFiles, let folder else { return Round(files: files, folder: nil, parents: []) }
        defer {
            self.hasNewFiles = false
            self.newParents = []
        }
        return Round(files: files, folder: folder, parents: self.newParents)
    }

    /// The disk refused these files of a round.
    mutating func noteRefused(_ files: [String]) { self.written.formUnion(files) }

    /// The disk refused one of a round's directories.
    mutating func noteRefusedDirectories(of round: Round) {
        self.hasNewFiles = true
        self.newParents.formUnion(round.parents)
    }
}

extension SpoolStore {
    /// Makes everything that was written before the call survive a loss of power. Waits for the disk.
    func sync() {
        // Taken before the files are synced: what is written meanwhile belongs to the next round.
        let round = self.state.withLock { $0.ledger.beginRound(folder: $0.spoolFolder?.path) }
        var failure: FileError?
        var refused: [String] = []
        for file in round.files {
            do throws(FileError) {
                try FileSystem.sync(file)
                self.synced.add(1, ordering: .relaxed)
            } catch {
                // It was delivered and removed in the meantime.
                guard !error.isAbsence else { continue }
                // If the disk refuses one file, sync the others all the same.
                refused.append(file)
                failure = error
            }
        }
        if let folder = round.folder {
            do throws(FileError) {
                // The sync of a file need not bring its entry in the folder to the disk (man 2 fsync).
                try FileSystem.sync(folder, isDirectory: true)
                // The parent of the folder: the directory, or the folder of this user's in it.
                try FileSystem.sync("\(folder)/..", isDirectory: true)
                for parent in round.parents { try self.syncParent(parent) }
                self.synced.add(2 + round.parents.count, ordering: .relaxed)
            } catch {
                failure = error
                self.state.withLock { $0.ledger.noteRefusedDirectories(of: round) }
            }
        }
        guard let failure else { return }
        self.state.withLock { $0.ledger.noteRefused(refused) }
        self.report(String(describing: failure))
    }

    /// Syncs a directory above the spool's. If it may be written to but not read, it cannot be opened for that. This is
    /// reported, and not tried again.
    private func syncParent(_ path: String) throws(FileError) {
        do throws(FileError) { try FileSystem.sync(path, isDirectory: true) } catch {
            guard error.code == EACCES else { throw error }
            self.report(String(describing: error))
        }
    }
}
