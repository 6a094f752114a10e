// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

// What becomes of damaged files: they are kept for somebody to look at, never removed.
extension SpoolStore {
    /// The folder for damaged files, beside those of the producers.
    static let damagedName = "damaged"

    /// Moves a file with nothing to deliver to where somebody can look at it; `false` if it has to stay where it is.
    @discardableResult
    func quarantine(_ path: String, of spoolFolder: SpoolFolder, reason: String) -> Bool {
        // Where there is no folder for it, it gets a name that no producer looks for.
        for target in [self.place(for: path, of: spoolFolder), path + SpoolFolder.damagedSuffix].compactMap({ $0 })
        where rename(path, target) == 0 {
            self.countDamaged()
            self.diagnostics(.spoolDamaged(file: target, reason: reason))
            return true
        }
        self.diagnostics(.spoolDamaged(file: path, reason: "\(reason), and \(FileError("rename", path))"))
        return false
    }

    /// Keeps a copy of a file of which not all can be delivered. The file itself goes when its records have, and is written
    /// to before that; where no copy can be made, the file stays instead, under another name. Once for each file.
    func quarantineCopy(_ file: SpoolFile?, _ path: String, of spoolFolder: SpoolFolder, reason: String) {
        guard !(file?.isKept ?? false) else { return }
        file?.isKept = true
        self.countDamaged()
        if let target = self.place(for: path, of: spoolFolder) {
            var status = stat()
            // A process that died while it delivered the records has made the copy.
            let isThere = lstat(target, &status) == 0
            let owner = try? FileSystem.entry(spoolFolder.directory)
            if isThere || (try? FileSystem.copy(path, to: target, owner: owner, access: spoolFolder.access)) != nil {
                return self.diagnostics(.spoolDamaged(file: target, reason: reason))
            }
        }
        file?.isQuarantined = true
        self.diagnostics(.spoolDamaged(file: path + SpoolFolder.damagedSuffix, reason: reason))
    }

    /// Where a damaged file belongs; `nil` if there is no folder for it that may be used.
    private func place(for path: String, of spoolFolder: SpoolFolder) -> String? {
        let folder = "\(spoolFolder.directory)/\(Self.damagedName)"
        do throws(FileError) {
            let owner = try FileSystem.entry(spoolFolder.directory)
            // Who replays another user's spool as root leaves nothing there that the user cannot remove.
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
