// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Where the folders of producers are: in the directory that was named, or where that is not for one process alone, such as
/// a mount point, in a folder in it that is.
enum SpoolPaths {
    /// A path without what makes the system follow a link at its end.
    static func name(of directory: String) -> String {
        var path = directory[...]
        while path.utf8.count > 1, path.hasSuffix("/") || path.hasSuffix("/.") { path.removeLast() }
        return String(path)
    }

    /// Makes the directory for a producer's folder, if it is not there; returns its path, and the directories in which there
    /// is a new one.
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
            guard error.code == EACCES else { throw error }
            throw FileError(directory, refusal, access)
        }
        try FileSystem.check(path, access)
        return (path, parents + made)
    }

    /// Where folders of dead producers are looked for.
    struct Roots {
        fileprivate(set) var used: [String] = []
        fileprivate(set) var refused: [(path: String, refusal: SpoolRefusal)] = []
        /// Why there can be no folder of this process's, neither in the directory nor in a folder in it.
        fileprivate(set) var refusal: SpoolRefusal?
    }

    /// The directories in which folders of dead producers are looked for, and those in which they are not, with the reason.
    static func roots(_ directory: String, _ access: SpoolAccess) throws(FileError) -> Roots {
        let entry = try FileSystem.entry(directory)
        var roots = Roots()
        if let refusal = access.refusal(ofFolder: entry) {
            roots.refused.append((directory, refusal))
            // The directory of somebody who is not trusted is not looked into.
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
