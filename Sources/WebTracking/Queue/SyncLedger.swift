// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What of a spool has changed since it was last on the disk.
struct SyncLedger {
    /// What one round of syncs has to bring onto the disk.
    struct Round {
        let files: [String]
        /// The folder of new files; `nil` if there are none, or no folder at present.
        let folder: String?
        /// Directories above the spool's in which there is a new one.
        let parents: Set<String>
    }

    /// Files that may have been written to.
    private var written: Set<String> = []
    /// Of those, the ones whose batches are still open.
    private var open: Set<String> = []
    private var hasNewFiles = false
    private var newParents: Set<String> = []

    mutating func noteOpened(_ file: String, isNew: Bool) {
        self.written.insert(file)
        self.open.insert(file)
        if isNew { self.hasNewFiles = true }
    }

    /// Nothing is written to the file any more.
    mutating func noteSealed(_ file: String) { self.open.remove(file) }

    /// The file's records are done with: nobody needs them on the disk.
    mutating func noteFinished(_ file: String) {
        self.open.remove(file)
        self.written.remove(file)
    }

    /// Directories were made in these.
    mutating func noteMade(in parents: some Sequence<String>) { self.newParents.formUnion(parents) }

    /// The next round, with `folder` as the producer's. What is still open will be written to again, and is in the
    /// round behind it as well.
    mutating func beginRound(folder: String?) -> Round {
        let files = Array(self.written)
        self.written = self.open
        // A parent that was made for a file that could not be made is synced with the next one that can.
        guard self.hasNewFiles, let folder else { return Round(files: files, folder: nil, parents: []) }
        defer {
            self.hasNewFiles = false
            self.newParents = []
        }
        return Round(files: files, folder: folder, parents: self.newParents)
    }

    /// The disk has refused these of a round's files.
    mutating func noteRefused(_ files: [String]) { self.written.formUnion(files) }

    /// The disk has refused one of a round's directories.
    mutating func noteRefusedDirectories(of round: Round) {
        self.hasNewFiles = true
        self.newParents.formUnion(round.parents)
    }
}
