//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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
    func setAside(_ path: String, of box: SpoolBox, reason: String) -> Bool {
        // Where there is no folder for it, it gets a name that no producer looks for.
        for target in [self.place(for: path, of: box), path + SpoolBox.damagedSuffix].compactMap({ $0 })
        where rename(path, target) == 0 {
            self.countDamaged()
            self.diagnostics(.spoolDamaged(file: target, reason: reason))
            return true
        }
        self.diagnostics(.spoolDamaged(file: path, reason: "\(reason), and \(FileError("rename", path))"))
        return false
    }

    /// Keeps a copy of a file of which not all can be delivered. The file itself goes when its records have, and is written
    /// to before that; where no copy can be made, the file stays instead, under another name.
    func copyAside(_ file: SpoolFile?, _ path: String, of box: SpoolBox, reason: String) {
        self.countDamaged()
        if let target = self.place(for: path, of: box) {
            var status = stat()
            // A process that died while it delivered the records has made the copy.
            let isThere = lstat(target, &status) == 0
            let owner = try? FileSystem.entry(box.directory)
            if isThere || (try? FileSystem.copy(path, to: target, owner: owner, access: box.access)) != nil {
                return self.diagnostics(.spoolDamaged(file: target, reason: reason))
            }
        }
        file?.isEvidence = true
        self.diagnostics(.spoolDamaged(file: path + SpoolBox.damagedSuffix, reason: reason))
    }

    /// Where a damaged file belongs; `nil` if there is no folder for it that may be used.
    private func place(for path: String, of box: SpoolBox) -> String? {
        let folder = "\(box.directory)/\(Self.damagedName)"
        do throws(FileError) {
            let owner = try FileSystem.entry(box.directory)
            // Who replays another user's spool as root leaves nothing there that the user cannot remove.
            if try !FileSystem.makeDirectory(folder, mode: box.access.folderMode).isEmpty, owner.user != box.access.user
            {
                lchown(folder, owner.user, owner.group)
            }
            try FileSystem.check(folder, box.access)
        } catch {
            return nil
        }
        let names = [box.path, path].map { path in path.split(separator: "/").last.map(String.init) ?? "file" }
        return "\(folder)/\(names.joined(separator: "-"))"
    }
}
