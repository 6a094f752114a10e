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

    let path: String
    private let lock: CInt

    private init(path: String, lock: CInt) {
        self.path = path
        self.lock = lock
    }

    deinit {
        close(self.lock)
    }

    /// Makes a folder for a producer, and takes its lock before anybody can see it; `nil` if the name is taken.
    static func make(in directory: String, name: String) throws(FileError) -> SpoolBox? {
        let hidden = "\(directory)/.\(Self.prefix)\(name)"
        let path = "\(directory)/\(Self.prefix)\(name)"
        guard mkdir(hidden, 0o700) == 0 else {
            if errno == EEXIST { return nil }
            throw FileError("mkdir", hidden)
        }
        let lockPath = "\(hidden)/\(Self.lockName)"
        let lock: CInt
        do throws(FileError) { lock = try FileSystem.open(lockPath, flags: O_RDWR | O_CREAT | O_EXCL) } catch {
            rmdir(hidden)
            throw error
        }
        if flock(lock, LOCK_EX | LOCK_NB) == 0, rename(hidden, path) == 0 { return SpoolBox(path: path, lock: lock) }
        let error = FileError("rename", hidden)
        close(lock)
        unlink(lockPath)
        rmdir(hidden)
        if [EEXIST, ENOTEMPTY].contains(error.code) { return nil }
        throw error
    }

    /// Takes over the folder of a dead producer; `nil` if its producer lives, or another one has been faster.
    static func adopt(_ path: String) -> SpoolBox? {
        let lockPath = "\(path)/\(Self.lockName)"
        guard (try? FileSystem.checkPrivateDirectory(path)) != nil,
            let lock = try? FileSystem.open(lockPath, flags: O_RDWR | O_CREAT)
        else { return nil }
        var own = stat()
        var present = stat()
        // Whoever removes a folder holds its lock; a lock that is not there any more is of no use.
        guard flock(lock, LOCK_EX | LOCK_NB) == 0, fstat(lock, &own) == 0, lstat(lockPath, &present) == 0,
            own.st_ino == present.st_ino, own.st_dev == present.st_dev
        else {
            close(lock)
            return nil
        }
        return SpoolBox(path: path, lock: lock)
    }

    /// The paths of the folder's files, in the order in which they were made.
    func files() -> [String] {
        let names = (try? FileSystem.names(in: self.path)) ?? []
        return names.filter { $0.hasSuffix(Self.fileSuffix) }.map { "\(self.path)/\($0)" }
    }

    /// The path of the file with this number.
    func file(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return "\(self.path)/\(String(repeating: "0", count: 16 - digits.count))\(digits)\(Self.fileSuffix)"
    }

    /// Removes the folder if nothing but the lock is in it.
    func removeIfEmpty() {
        guard (try? FileSystem.names(in: self.path)) == [Self.lockName] else { return }
        unlink("\(self.path)/\(Self.lockName)")
        rmdir(self.path)
    }

    /// Whether the folder is where it was made.
    var isPresent: Bool {
        var status = stat()
        return lstat("\(self.path)/\(Self.lockName)", &status) == 0
    }
}
