// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
