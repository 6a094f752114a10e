// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

// Damaged files are kept for a human to look at. They are never removed.
extension SpoolStore {
    /// The folder for damaged files, beside those of the producers.
    static let damagedName = "damaged"

    /// Moves a file without deliverable records to the folder for damaged files. Returns `false` if it cannot be moved.
    @discardableResult
    func quarantine(_ path: String, of spoolFolder: SpoolFolder, reason: String) -> Bool {
        // If there is no such folder, give the file a name that no producer reads.
        for target in [self.place(for: path, of: spoolFolder), path + SpoolFolder.damagedSuffix].compactMap({ $0 })
        where rename(path, target) == 0 {
            self.state.withLock { $0.damagedFiles += 1 }
            self.diagnostics(.spoolDamaged(file: target, reason: reason))
            return true
        }
        self.diagnostics(.spoolDamaged(file: path, reason: "\(reason), and \(FileError("rename", path))"))
        return false
    }

    /// Keeps a copy of a file of which some records cannot be delivered. The file itself is removed when its records
    /// are settled, and is written to before that. If no copy can be made, the file itself is kept under another name.
    /// Does this once for each file.
    func quarantineCopy(_ file: SpoolFile?, _ path: String, of spoolFolder: SpoolFolder, reason: String) {
        guard !(file?.isKept ?? false) else { return }
        file?.isKept = true
        self.state.withLock { $0.damagedFiles += 1 }
        if let target = self.place(for: path, of: spoolFolder) {
            var status = stat()
            // A process that died during the delivery may have made the copy already.
            let isThere = lstat(target, &status) == 0
            let owner = try? FileSystem.entry(spoolFolder.directory)
            if isThere || (try? FileSystem.copy(path, to: target, owner: owner, access: spoolFolder.access)) != nil {
                return self.diagnostics(.spoolDamaged(file: target, reason: reason))
            }
        }
        file?.isQuarantined = true
        self.diagnostics(.spoolDamaged(file: path + SpoolFolder.damagedSuffix, reason: reason))
    }

    /// The path for a damaged file; `nil` if there is no folder for it that may be used.
    private func place(for path: String, of spoolFolder: SpoolFolder) -> String? {
        let folder = "\(spoolFolder.directory)/\(Self.damagedName)"
        do throws(FileError) {
            let owner = try FileSystem.entry(spoolFolder.directory)
            // Root may replay another user's spool. The folder then belongs to that user, who can remove it.
            if try !FileSystem.makeDirectory(folder, mode: spoolFolder.access.folderMode).isEmpty,
                owner.user != spoolFolder.access.user
            {
                lchown(folder, owner.user, owner.group)
            }
            try FileSystem.check(folder, spoolFolder.access)
        } catch {
            return nil
        }
        let names = [spoolFolder.path, path].map { path in path.split(separator: "/").last.map(String.init) ?? "file" }
        return "\(folder)/\(names.joined(separator: "-"))"
    }
}
