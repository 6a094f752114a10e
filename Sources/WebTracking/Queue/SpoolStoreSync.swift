// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTrackingPlatform

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
        self.diagnostics(.spoolFailed(directory: self.directory, reason: String(describing: failure)))
    }

    /// Syncs a directory above the spool's. If it may be written to but not read, it cannot be opened for that. This is
    /// reported, and not tried again.
    private func syncParent(_ path: String) throws(FileError) {
        do throws(FileError) { try FileSystem.sync(path, isDirectory: true) } catch {
            guard error.code == EACCES else { throw error }
            self.diagnostics(.spoolFailed(directory: self.directory, reason: String(describing: error)))
        }
    }
}
