// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension SpoolStore {
    /// Makes everything that was written before the call survive the loss of power. Waits for the disk.
    func sync() {
        let round = self.state.withLock { $0.ledger.beginRound(folder: $0.spoolFolder?.path) }
        var failure: FileError?
        var refused: [String] = []
        for file in round.files {
            do throws(FileError) {
                try FileSystem.sync(file)
                self.synced.add(1, ordering: .relaxed)
            } catch {
                // Delivered in the meantime.
                guard !error.isAbsence else { continue }
                // One file that the disk refuses is no reason to leave the others.
                refused.append(file)
                failure = error
            }
        }
        if let folder = round.folder {
            do throws(FileError) {
                try FileSystem.sync(folder, isDirectory: true)
                // The directory, or the folder in it that is for this process alone.
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

    /// Syncs a directory above the spool's. One that may be written to but not read cannot be opened for that: it is told,
    /// and not tried again.
    private func syncParent(_ path: String) throws(FileError) {
        do throws(FileError) { try FileSystem.sync(path, isDirectory: true) } catch {
            guard error.code == EACCES else { throw error }
            self.diagnostics(.spoolFailed(directory: self.directory, reason: String(describing: error)))
        }
    }
}
