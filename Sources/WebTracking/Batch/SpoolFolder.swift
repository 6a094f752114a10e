// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTrackingPlatform

/// One producer's folder in a spool directory, and the locks of its owner.
///
/// The locks are the kernel's (`flock`), so they end with the process that holds them. Nothing else says who the owner
/// is: if the locks can be taken, the producer is dead, and the files in the folder are all that is known of it. One lock is on the
/// folder itself, which cannot be removed without the files in it. The other one is on a file in it, for versions that
/// know only that one, and for file systems that cannot lock directories.
final class SpoolFolder: Sendable {
    static let prefix = "producer-"
    private static let lockName = "lock"
    static let fileSuffix = ".seg"
    /// The suffix of a damaged file for which there is no other place.
    static let damagedSuffix = ".damaged"

    let path: String
    let access: SpoolAccess
    /// The folder itself, open.
    let descriptor: CInt
    /// `nil` if the file could not be made. That does no harm while the folder itself is locked.
    private let lock: CInt?
    /// Whether the folder itself is locked. If not, a process that removes the lock file makes the folder look like a
    /// dead producer's.
    let isFolderLocked: Bool
    /// Whether the folder was a dead producer's. It is removed when it is empty and no file of it is in use.
    private let isRecovered: Bool
    private let forks = ForkCount.current
    private let lost = Atomic<Bool>(false)
    /// Whether the folder was found to be no longer at its path.
    var isLost: Bool { self.lost.load(ordering: .relaxed) }
    func noteLost() { self.lost.store(true, ordering: .relaxed) }

    private init(
        path: String,
        access: SpoolAccess,
        folder: CInt,
        lock: CInt?,
        isFolderLocked: Bool,
        isRecovered: Bool = false
    ) {
        self.path = path
        self.access = access
        self.descriptor = folder
        self.lock = lock
        self.isFolderLocked = isFolderLocked
        self.isRecovered = isRecovered
    }

    deinit {
        // A child of fork has a copy of this object, but the folder belongs to its parent.
        // Before the locks go, so that no other process takes over a folder that is being removed.
        if self.isRecovered, !ForkCount.isOther(than: self.forks) { self.removeIfEmpty() }
        if let lock = self.lock { close(lock) }
        close(self.descriptor)
    }

    /// The directory of the folder.
    var directory: String {
        let slash = self.path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? self.path.startIndex
        return String(self.path[..<slash])
    }

    /// Makes a folder for a producer, and takes its locks before other processes can see it. Returns `nil` if the name
    /// is taken, or if a process with a clock far ahead took the folder for one that was never finished.
    static func make(in directory: String, name: String, access: SpoolAccess) throws(FileError) -> SpoolFolder? {
        let hidden = "\(directory)/.\(Self.prefix)\(name)"
        let path = "\(directory)/\(Self.prefix)\(name)"
        guard try FileSystem.makeOneDirectory(hidden, mode: access.folderMode) else {
            if errno == EEXIST { return nil }
            throw FileError("mkdir", hidden)
        }
        // Before there is a file in it: new files inherit the flag of their folder.
        FileSystem.writeInPlace(hidden)
        let lockPath = "\(hidden)/\(Self.lockName)"
        var folder: CInt = -1
        let lock: CInt
        do throws(FileError) {
            folder = try FileSystem.open(hidden, flags: O_RDONLY | O_DIRECTORY)
            lock = try FileSystem.open(lockPath, flags: O_RDWR | O_CREAT | O_EXCL)
        } catch {
            if folder >= 0 { close(folder) }
            rmdir(hidden)
            if Self.isTakenAway(error) { return nil }
            throw error
        }
        access.share(lock)
        let answer = Self.lock(folder)
        if answer != .held, flock(lock, LOCK_EX | LOCK_NB) == 0, rename(hidden, path) == 0 {
            return SpoolFolder(
                path: path,
                access: access,
                folder: folder,
                lock: lock,
                isFolderLocked: answer == .locked
            )
        }
        let error = FileError("rename", hidden)
        close(lock)
        close(folder)
        unlink(lockPath)
        rmdir(hidden)
        if Self.isTakenAway(error) { return nil }
        throw error
    }

    /// Whether the name, or the new folder, belongs to another process by now.
    private static func isTakenAway(_ error: FileError) -> Bool {
        // EEXIST, ENOTEMPTY: the new name has a folder with files (man 2 rename), or our
        // folder another process's lock file. ENOENT: ours was removed.
        // EWOULDBLOCK: its lock is held (man 2 flock).
        [EEXIST, ENOTEMPTY, ENOENT, EWOULDBLOCK].contains(error.code)
    }

    private enum Answer { case locked, held, impossible }

    /// Tries to lock an open file or folder.
    private static func lock(_ descriptor: CInt, _ kind: CInt = LOCK_EX) -> Answer {
        while true {
            if flock(descriptor, kind | LOCK_NB) == 0 { return .locked }
            // NFS, for example, cannot lock directories.
            if errno != EINTR { return errno == EWOULDBLOCK ? .held : .impossible }
        }
    }

    /// Takes over the folder of a dead producer. Returns `nil` if it is gone, its producer lives, or another process
    /// was faster. Throws if the folder may not be used, or if that cannot be found out at present.
    static func recover(_ path: String, access: SpoolAccess) throws(FileError) -> SpoolFolder? {
        let folder: CInt
        do throws(FileError) { folder = try FileSystem.open(path, flags: O_RDONLY | O_DIRECTORY) } catch {
            if error.isAbsence || error.code == ENOTDIR { return nil }
            throw error
        }
        do throws(FileError) {
            if let refusal = access.refusal(ofFolder: try FileSystem.entry(folder, path: path)) {
                throw FileError(path, refusal, access)
            }
            // A process that removes a folder holds its lock. A lock on a removed file is of no use.
            let answer = Self.lock(folder)
            if answer != .held, Self.isAt(path, folder) {
                switch try Self.lockFile(of: path, isNeeded: answer == .impossible) {
                case .free(let lock):
                    return SpoolFolder(
                        path: path,
                        access: access,
                        folder: folder,
                        lock: lock,
                        isFolderLocked: answer == .locked,
                        isRecovered: true
                    )
                case .held: break
                }
            }
        } catch {
            close(folder)
            throw error
        }
        close(folder)
        return nil
    }

    private enum LockFile {
        case free(CInt?)
        case held
    }

    /// Takes the lock that earlier versions check.
    private static func lockFile(of folder: String, isNeeded: Bool) throws(FileError) -> LockFile {
        let path = "\(folder)/\(Self.lockName)"
        let lock: CInt
        do throws(FileError) { lock = try self.openLock(path) } catch {
            if error.isAbsence, isNeeded { return .held }
            // The file was removed, and no other can be made for lack of room or permission.
            if !isNeeded, [ENOENT, ENOSPC, EDQUOT, EROFS, EACCES].contains(error.code) { return .free(nil) }
            throw error
        }
        let answer = self.lock(lock)
        let failure = FileError("flock", path)
        if answer == .locked || (answer == .impossible && !isNeeded), self.isAt(path, lock) { return .free(lock) }
        close(lock)
        if answer == .impossible { throw failure }
        return .held
    }

    private static func openLock(_ path: String) throws(FileError) -> CInt {
        do throws(FileError) { return try FileSystem.open(path, flags: O_RDWR | O_CREAT) } catch {
            guard [EACCES, EROFS].contains(error.code) else { throw error }
            // Enough for a lock on a local disk. NFS wants a file that is open for writing (man 2 flock).
            return try FileSystem.open(path, flags: O_RDONLY | O_NONBLOCK)
        }
    }

    /// Whether a path leads to what was opened.
    private static func isAt(_ path: String, _ descriptor: CInt) -> Bool {
        var own = stat()
        var present = stat()
        return fstat(descriptor, &own) == 0 && lstat(path, &present) == 0 && own.st_ino == present.st_ino
            && own.st_dev == present.st_dev
    }

    /// Releases the locks, as the kernel does when the process dies.
    func unlock() {
        if let lock = self.lock { flock(lock, LOCK_UN) }
        flock(self.descriptor, LOCK_UN)
    }

    /// Removes the folder of a producer that died while it made it. Leaves alone a folder that is just being made.
    static func removeUnfinished(_ path: String, wallTime: Int64, access: SpoolAccess) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        #if canImport(Darwin)
        let changed = Int64(status.st_mtimespec.tv_sec)
        #else
        let changed = Int64(status.st_mtim.tv_sec)
        #endif
        // To make one takes microseconds.
        guard wallTime / 1_000_000_000 - changed > 3600 else { return }
        // The object is released here, and removes the empty folder that it has taken over.
        _ = try? self.recover(path, access: access)
    }

    /// The paths of the folder's files, in the order of their batches, and then those without a batch. Throws if the
    /// order cannot be found out at present.
    ///
    /// A file that does not open for a reason of its own is left out, and passed to `unreadable`. It may never open, so
    /// the other files do not wait for it.
    func files(unreadable: (String, FileError) -> Void = { _, _ in }) throws(FileError) -> [String] {
        var files: [(path: String, order: UInt64)] = []
        for name in try FileSystem.names(in: self.path) where name.hasSuffix(Self.fileSuffix) {
            let path = "\(self.path)/\(name)"
            do throws(FileError) { files.append((path, try SpoolFormat.order(of: path))) } catch {
                if error.isShortage { throw error }
                unreadable(path, error)
            }
        }
        return Self.inOrder(files)
    }

    /// Does the same for a folder of any user, as far as it can be read.
    static func files(in folder: String, includingDamaged: Bool = false) -> [String] {
        let paths = self.unorderedFiles(in: folder, includingDamaged: includingDamaged)
        return self.inOrder(paths.map { (path: $0, order: (try? SpoolFormat.order(of: $0)) ?? .max) })
    }

    /// The paths of the files in a folder of any user.
    static func unorderedFiles(in folder: String, includingDamaged: Bool = false) -> [String] {
        let names = (try? FileSystem.names(in: folder)) ?? []
        let suffixes = [Self.fileSuffix] + (includingDamaged ? [Self.damagedSuffix] : [])
        return names.filter { name in suffixes.contains { name.hasSuffix($0) } }.map { "\(folder)/\($0)" }
    }

    private static func inOrder(_ files: [(path: String, order: UInt64)]) -> [String] {
        files.sorted { ($0.order, $0.path) < ($1.order, $1.path) }.map(\.path)
    }

    /// Whether a folder may be used, and no living process holds it. `false` if that cannot be found out at present.
    static func isLeft(_ path: String, access: SpoolAccess) -> Bool {
        (try? FileSystem.check(path, access)) != nil && (try? self.isHeld(path)) == false
    }

    /// Whether a living process holds the folder, as far as that can be found out.
    static func isAlive(_ path: String) -> Bool { (try? self.isHeld(path)) ?? false }

    /// Whether a living process holds the folder. The check takes the locks for a moment.
    private static func isHeld(_ path: String) throws(FileError) -> Bool {
        do throws(FileError) {
            if try self.isHeld(path, flags: O_RDONLY | O_DIRECTORY) { return true }
            return try self.isHeld("\(path)/\(Self.lockName)", flags: O_RDONLY | O_NONBLOCK)
        } catch {
            if error.isAbsence { return false }
            throw error
        }
    }

    private static func isHeld(_ path: String, flags: CInt) throws(FileError) -> Bool {
        let descriptor = try FileSystem.open(path, flags: flags)
        defer { close(descriptor) }
        // Shared, so that two processes that look at once do not find each other. A lock of this process counts as
        // held, too: it belongs to another opening of the folder (man 2 flock).
        return self.lock(descriptor, LOCK_SH) == .held
    }

    /// The path of the file with this number.
    func file(_ number: UInt64) -> String {
        "\(self.path)/\(number.hexadecimal)\(Self.fileSuffix)"
    }

    /// Removes the folder if it has no file but the lock.
    func removeIfEmpty() {
        guard Self.isAt(self.path, self.descriptor), let names = try? FileSystem.names(in: self.path),
            names.allSatisfy({ $0 == Self.lockName })
        else { return }
        unlink("\(self.path)/\(Self.lockName)")
        // rmdir refuses a folder that is not empty: what came since the names were read stays (man 2 rmdir).
        rmdir(self.path)
    }

    /// Whether the folder is no longer at its path. If that cannot be checked now, it counts as existing.
    var isRemoved: Bool {
        var own = stat()
        var present = stat()
        guard lstat(self.path, &present) == 0 else { return errno == ENOENT }
        return fstat(self.descriptor, &own) == 0 && (own.st_ino != present.st_ino || own.st_dev != present.st_dev)
    }
}
