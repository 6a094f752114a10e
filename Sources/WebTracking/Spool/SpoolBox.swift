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

/// One producer's folder in a spool directory, and the lock that says whose it is.
///
/// The lock is the kernel's (`flock`), so it ends with the process that holds it, however that ends. There is no other
/// word on who owns what: a folder whose lock can be had is a dead producer's, and what is in its files is all that is
/// known of it.
final class SpoolBox: Sendable {
    static let prefix = "producer-"
    private static let lockName = "lock"
    private static let fileSuffix = ".seg"
    /// Behind the name of a damaged file for which there is no other place.
    static let damagedSuffix = ".damaged"

    let path: String
    private let lock: CInt
    /// Whether the folder was a dead producer's; it is removed when nothing is in it and nobody needs it any more.
    private let isAdopted: Bool

    private init(path: String, lock: CInt, isAdopted: Bool = false) {
        self.path = path
        self.lock = lock
        self.isAdopted = isAdopted
    }

    deinit {
        if self.isAdopted { self.removeIfEmpty() }
        close(self.lock)
    }

    /// Makes a folder for a producer, and takes its lock before anybody can see it; `nil` if the name is taken, or somebody
    /// whose clock is far ahead has taken the folder for one that was never finished.
    static func make(in directory: String, name: String) throws(FileError) -> SpoolBox? {
        let hidden = "\(directory)/.\(Self.prefix)\(name)"
        let path = "\(directory)/\(Self.prefix)\(name)"
        guard mkdir(hidden, 0o700) == 0 else {
            if errno == EEXIST { return nil }
            throw FileError("mkdir", hidden)
        }
        // Before there is a file in it: files take over what their folder says when they are made.
        FileSystem.writeInPlace(hidden)
        let lockPath = "\(hidden)/\(Self.lockName)"
        let lock: CInt
        do throws(FileError) { lock = try FileSystem.open(lockPath, flags: O_RDWR | O_CREAT | O_EXCL) } catch {
            rmdir(hidden)
            if Self.isTakenAway(error) { return nil }
            throw error
        }
        if flock(lock, LOCK_EX | LOCK_NB) == 0, rename(hidden, path) == 0 { return SpoolBox(path: path, lock: lock) }
        let error = FileError("rename", hidden)
        close(lock)
        unlink(lockPath)
        rmdir(hidden)
        if Self.isTakenAway(error) { return nil }
        throw error
    }

    /// Whether the name, or the folder that was made for it, is somebody else's by now.
    private static func isTakenAway(_ error: FileError) -> Bool {
        [EEXIST, ENOTEMPTY, ENOENT, EWOULDBLOCK].contains(error.code)
    }

    /// Takes over the folder of a dead producer; `nil` if it is gone or nothing of this user's, its producer lives, or
    /// another one has been faster. Throws if that cannot be found out at present.
    static func adopt(_ path: String) throws(FileError) -> SpoolBox? {
        let lockPath = "\(path)/\(Self.lockName)"
        guard (try? FileSystem.checkPrivateDirectory(path)) != nil else { return nil }
        let lock: CInt
        do throws(FileError) { lock = try FileSystem.open(lockPath, flags: O_RDWR | O_CREAT) } catch {
            if error.isAbsence { return nil }
            throw error
        }
        var own = stat()
        var present = stat()
        // Whoever removes a folder holds its lock; a lock that is not there any more is of no use.
        let isLocked = flock(lock, LOCK_EX | LOCK_NB) == 0
        let failure = FileError("flock", lockPath)
        guard isLocked, fstat(lock, &own) == 0, lstat(lockPath, &present) == 0,
            own.st_ino == present.st_ino, own.st_dev == present.st_dev
        else {
            close(lock)
            // Somebody holds it, or the file system has no locks.
            if !isLocked, failure.code != EWOULDBLOCK { throw failure }
            return nil
        }
        return SpoolBox(path: path, lock: lock, isAdopted: true)
    }

    /// Lets go of the lock, as the kernel does when the process dies.
    func letGo() { flock(self.lock, LOCK_UN) }

    /// Removes the folder of a producer that died while it made it; one that is being made is left alone.
    static func removeUnfinished(_ path: String, wallTime: Int64) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        #if canImport(Darwin)
        let changed = Int64(status.st_mtimespec.tv_sec)
        #else
        let changed = Int64(status.st_mtim.tv_sec)
        #endif
        // Making one takes microseconds.
        guard wallTime / 1_000_000_000 - changed > 3600 else { return }
        _ = try? self.adopt(path)
    }

    /// The paths of the folder's files, in the order of their batches. Those that hold none come last. Throws if the order
    /// cannot be found out at present.
    ///
    /// A file that does not open for a reason of its own is left out, and told of: the others do not wait for it, as nobody
    /// knows whether it ever will.
    func files(unreadable: (FileError) -> Void = { _ in }) throws(FileError) -> [String] {
        var files: [(path: String, order: UInt64)] = []
        for name in try FileSystem.names(in: self.path) where name.hasSuffix(Self.fileSuffix) {
            let path = "\(self.path)/\(name)"
            do throws(FileError) { files.append((path, try SpoolFormat.order(of: path))) } catch {
                if error.isShortage { throw error }
                unreadable(error)
            }
        }
        return Self.inOrder(files)
    }

    /// The same for a folder of anybody's, as far as it can be read.
    static func files(in folder: String, includingDamaged: Bool = false) -> [String] {
        let paths = self.unorderedFiles(in: folder, includingDamaged: includingDamaged)
        return self.inOrder(paths.map { (path: $0, order: (try? SpoolFormat.order(of: $0)) ?? .max) })
    }

    /// The paths of the files in a folder, whosever it is.
    static func unorderedFiles(in folder: String, includingDamaged: Bool = false) -> [String] {
        let names = (try? FileSystem.names(in: folder)) ?? []
        let suffixes = [Self.fileSuffix] + (includingDamaged ? [Self.damagedSuffix] : [])
        return names.filter { name in suffixes.contains { name.hasSuffix($0) } }.map { "\(folder)/\($0)" }
    }

    private static func inOrder(_ files: [(path: String, order: UInt64)]) -> [String] {
        files.sorted { ($0.order, $0.path) < ($1.order, $1.path) }.map(\.path)
    }

    /// Whether a folder is one of this user's that no living process holds; not if that cannot be found out at present.
    static func isLeft(_ path: String) -> Bool {
        (try? FileSystem.checkPrivateDirectory(path)) != nil && (try? self.isHeld(path)) == false
    }

    /// Whether a living process holds the folder, as far as can be seen.
    static func isAlive(_ path: String) -> Bool { (try? self.isHeld(path)) ?? false }

    /// Whether a living process holds the folder. Looking takes the lock for a moment.
    private static func isHeld(_ path: String) throws(FileError) -> Bool {
        let lock: CInt
        do throws(FileError) { lock = try FileSystem.open("\(path)/\(Self.lockName)", flags: O_RDONLY) } catch {
            if error.isAbsence { return false }
            throw error
        }
        defer { close(lock) }
        return flock(lock, LOCK_SH | LOCK_NB) != 0
    }

    /// The path of the file with this number.
    func file(_ number: UInt64) -> String {
        "\(self.path)/\(number.hexadecimal)\(Self.fileSuffix)"
    }

    /// Removes the folder if nothing but the lock is in it.
    func removeIfEmpty() {
        guard (try? FileSystem.names(in: self.path)) == [Self.lockName] else { return }
        unlink("\(self.path)/\(Self.lockName)")
        rmdir(self.path)
    }

    /// Whether the folder is not where it was made. One that cannot be seen at present is there still.
    var isRemoved: Bool {
        var status = stat()
        return lstat("\(self.path)/\(Self.lockName)", &status) != 0 && errno == ENOENT
    }
}
