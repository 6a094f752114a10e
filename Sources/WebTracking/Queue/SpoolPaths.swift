// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Where the folders of producers are: in the configured directory. If other users may write to that, as to a mount
/// point, they are in a folder of their own inside of it.
enum SpoolPaths {
    /// A path without a slash or `/.` at its end, which would make the system follow a link there.
    static func name(of directory: String) -> String {
        var path = directory[...]
        while path.utf8.count > 1, path.hasSuffix("/") || path.hasSuffix("/.") { path.removeLast() }
        return String(path)
    }

    /// Makes the directory for a producer's folder, if it does not exist. Returns its path, and the parents of new
    /// directories.
    static func prepare(
        _ directory: String,
        _ access: SpoolAccess
    ) throws(FileError) -> (path: String, parents: [String]) {
        let parents = try FileSystem.makeDirectory(directory, mode: access.folderMode)
        let entry = try FileSystem.entry(directory)
        guard let refusal = access.refusal(ofFolder: entry) else { return (directory, parents) }
        guard access.mayMakeFolder(in: entry) else { throw FileError(directory, refusal, access) }
        let path = "\(directory)/\(access.subfolder)"
        let made: [String]
        do throws(FileError) { made = try FileSystem.makeDirectory(path, mode: access.folderMode) } catch {
            // This user may not write there: the directory's own refusal says what to do about that.
            guard error.code == EACCES else { throw error }
            throw FileError(directory, refusal, access)
        }
        try FileSystem.check(path, access)
        return (path, parents + made)
    }

    /// The directories in which folders of dead producers may be.
    struct Roots {
        fileprivate(set) var used: [String] = []
        fileprivate(set) var refused: [(path: String, refusal: SpoolRefusal)] = []
        /// Why this process can have no folder, neither in the directory nor inside of it.
        fileprivate(set) var refusal: SpoolRefusal?
    }

    /// The directories that are searched for folders of dead producers, and the refused ones with the reasons.
    static func roots(_ directory: String, _ access: SpoolAccess) throws(FileError) -> Roots {
        let entry = try FileSystem.entry(directory)
        var roots = Roots()
        if let refusal = access.refusal(ofFolder: entry) {
            roots.refused.append((directory, refusal))
            // Do not search the directory of an owner that is not trusted.
            guard access.mayMakeFolder(in: entry) else {
                roots.refusal = refusal
                return roots
            }
        } else {
            roots.used.append(directory)
        }
        for name in try FileSystem.names(in: directory) where SpoolAccess.isSubfolder(name) {
            let path = "\(directory)/\(name)"
            guard let entry = try? FileSystem.entry(path) else { continue }
            if let refusal = access.refusal(ofFolder: entry) {
                roots.refused.append((path, refusal))
            } else {
                roots.used.append(path)
            }
        }
        return roots
    }
}
