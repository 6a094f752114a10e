// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// A system call that failed.
struct FileError: Error, Equatable, CustomStringConvertible {
    let call: String
    let path: String
    let code: CInt
    /// The rule that the path breaks, in words that say what to do; `nil` if the system's error text is enough.
    let rule: String?

    init(_ call: String, _ path: String, code: CInt = errno, rule: String? = nil) {
        self.call = call
        self.path = path
        self.code = code
        self.rule = rule
    }

    /// Whether the file does not exist.
    var isAbsence: Bool { self.code == ENOENT }

    /// Whether the system was short of a resource, which may become free again. This says nothing about the file.
    var isShortage: Bool { [EMFILE, ENFILE, ENOMEM, EINTR, EAGAIN, ENOSPC, EDQUOT].contains(self.code) }

    /// Whether the file was replaced or truncated. Unlike a shortage, this does not pass.
    var isDamage: Bool { self.code == EIO || self.code == EPERM }

    var description: String {
        if let rule { return "\(self.path): \(rule)" }
        return "\(self.call) \(self.path): \(String(cString: strerror(self.code)))"
    }
}

/// The few calls on files that a spool needs.
enum FileSystem {
    /// Makes a directory and the missing ones above it, by default for their owner alone. Leaves an existing directory
    /// as it is. Returns the parents of the new directories.
    @discardableResult
    static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(FileError) -> [String] {
        // By bytes, as the system does: a slash and a combining mark after it are one character.
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let parent = slash > path.startIndex ? String(path[..<slash]) : "/"
        if try self.makeOneDirectory(path, mode: mode) { return [parent] }
        if errno == EEXIST { return [] }
        guard errno == ENOENT, slash > path.startIndex else { throw FileError("mkdir", path) }
        let changed = try self.makeDirectory(parent, mode: mode)
        if try self.makeOneDirectory(path, mode: mode) { return changed + [parent] }
        // Another process may have made it since.
        if errno == EEXIST { return changed }
        throw FileError("mkdir", path)
    }

    /// Makes a copy-on-write file system (btrfs) write the files of a new directory in place.
    ///
    /// Otherwise a store into a mapped page that is already on the disk needs a new block, although the file has all
    /// its blocks. On a full disk, the store of the next record, or of the mark that a file is done with, would then
    /// end the process by SIGBUS (seen with Linux 6.18). Other file systems refuse the flag and do not need it, so
    /// errors are ignored.
    static func writeInPlace(_ directory: String) {
        #if os(Linux)
        // FS_IOC_GETFLAGS, FS_IOC_SETFLAGS and FS_NOCOW_FL of <linux/fs.h>: macros that Swift does not import.
        let size = UInt(MemoryLayout<CLong>.size) << 16
        let (getFlags, setFlags) = (0x8000_6601 | size, 0x4000_6602 | size)
        let noCopyOnWrite: CLong = 0x0080_0000
        guard let descriptor = try? self.open(directory, flags: O_RDONLY | O_DIRECTORY) else { return }
        defer { close(descriptor) }
        var flags: CLong = 0
        guard ioctl(descriptor, getFlags, &flags) == 0 else { return }
        flags |= noCopyOnWrite
        _ = ioctl(descriptor, setFlags, &flags)
        #endif
    }

    /// Makes one directory. Returns `false` if that failed, with the reason in `errno`.
    static func makeOneDirectory(_ path: String, mode: mode_t) throws(FileError) -> Bool {
        guard mkdir(path, mode & 0o777) == 0 else { return false }
        // mkdir clears the bits of the process's umask, and a directory that a group shares needs them.
        guard mode == 0o700 || chmod(path, mode) == 0 else { throw FileError("chmod", path) }
        return true
    }

    /// The names in a directory, sorted. Hidden ones (with a dot in front) only if `includingHidden`.
    static func names(in directory: String, includingHidden: Bool = false) throws(FileError) -> [String] {
        guard let stream = opendir(directory) else { throw FileError("opendir", directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." && (includingHidden || !name.hasPrefix(".")) { names.append(name) }
        }
        // readdir promises no order (man 3 readdir).
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Opens a file, but not through a symbolic link. A new file is for its owner alone.
    static func open(_ path: String, flags: CInt) throws(FileError) -> CInt {
        while true {
            // O_CLOEXEC: a flock belongs to the open file, and a program started by exec would keep it (man 2 flock).
            let descriptor = WebTrackingPlatform.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
            if descriptor >= 0 { return descriptor }
            // A signal interrupted the call (POSIX), which says nothing about the file.
            guard errno == EINTR else { throw FileError("open", path) }
        }
    }

    /// Whether parts of an open file have no blocks. A copied file may have such holes; a file that the file system
    /// compresses looks the same.
    static func hasHoles(_ descriptor: CInt, path: String) throws(FileError) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError("fstat", path) }
        // st_blocks counts units of 512 bytes, whatever the block size is (man 2 stat).
        return Int(status.st_blocks) * 512 < Int(status.st_size)
    }

    /// The size in bytes that no file of the process may exceed (`ulimit -f`); `nil` if there is none.
    static var sizeLimit: Int? { self.limit(on: RLIMIT_FSIZE) }

    /// The number of files that the process may have open (`ulimit -n`); `nil` if there is no limit.
    static var openFilesLimit: Int? { self.limit(on: RLIMIT_NOFILE) }

    // Glibc declares the resources as an enumeration, others as integers.
    #if canImport(Glibc)
    private typealias Resource = __rlimit_resource
    #else
    private typealias Resource = CInt
    #endif

    private static func limit(on resource: Resource) -> Int? {
        var limit = rlimit()
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(resource.rawValue)
        #endif
        guard getrlimit(resource, &limit) == 0 else { return nil }
        // On Linux, RLIM_INFINITY does not fit into Int. On Darwin it is Int.max, which is no limit either.
        return Int(exactly: limit.rlim_cur)
    }

    /// Runs `body`, which makes a file larger. Beyond the process's size limit, it fails with `EFBIG`. Without this
    /// function, the signal that comes with the error would end the process.
    static func withoutSizeSignal<Result>(_ body: () -> Result) -> Result {
        var signals = sigset_t()
        var before = sigset_t()
        var pending = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGXFSZ)
        sigpending(&pending)
        // One that was pending before is the program's own, and stays.
        let wasPending = sigismember(&pending, SIGXFSZ) == 1
        pthread_sigmask(SIG_BLOCK, &signals, &before)
        let result = body()
        // The calls below may change errno, which the caller reads.
        let code = errno
        sigpending(&pending)
        // It came for this thread and is pending. Take it before it is unblocked, or it ends the process.
        if !wasPending, sigismember(&pending, SIGXFSZ) == 1 {
            var signal: CInt = 0
            sigwait(&signals, &signal)
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
        errno = code
        return result
    }

    /// Gives a file its size and all its blocks: a store into a mapped page without a block ends the process.
    static func allocate(_ descriptor: CInt, bytes: Int, path: String) throws(FileError) {
        #if canImport(Darwin)
        // Darwin has no posix_fallocate. F_PREALLOCATE leaves the size as it is, so ftruncate follows.
        var store = fstore_t(
            fst_flags: UInt32(F_ALLOCATEALL),
            fst_posmode: F_PEOFPOSMODE,
            fst_offset: 0,
            fst_length: off_t(bytes),
            fst_bytesalloc: 0
        )
        let isDone = self.withoutSizeSignal {
            fcntl(descriptor, F_PREALLOCATE, &store) == 0 && ftruncate(descriptor, off_t(bytes)) == 0
        }
        guard isDone else { throw FileError("allocate", path) }
        #else
        // posix_fallocate returns its error, and does not set errno.
        var code: CInt
        repeat { code = self.withoutSizeSignal { posix_fallocate(descriptor, 0, off_t(bytes)) } } while code == EINTR
        guard code == 0 else { throw FileError("allocate", path, code: code) }
        #endif
    }

    /// Maps a file for reading and writing. If the mapping `isPrivate`, stores do not reach the file.
    static func map(
        _ descriptor: CInt,
        bytes: Int,
        isPrivate: Bool = false,
        path: String
    ) throws(FileError) -> UnsafeMutableRawPointer {
        let flags = isPrivate ? MAP_PRIVATE : MAP_SHARED
        guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0), memory != MAP_FAILED
        else { throw FileError("mmap", path) }
        return memory
    }

    /// Makes what was written to a file survive the loss of power.
    static func sync(_ path: String, isDirectory: Bool = false) throws(FileError) {
        let descriptor = try self.open(path, flags: isDirectory ? O_RDONLY | O_DIRECTORY : O_RDONLY)
        defer { close(descriptor) }
        #if canImport(Darwin)
        // On Darwin, fsync does not empty the drive's cache. F_FULLFSYNC does, but not every file system has it.
        guard fcntl(descriptor, F_FULLFSYNC) == 0 || fsync(descriptor) == 0 else { throw FileError("fsync", path) }
        #else
        // `fdatasync` leaves out times, but writes everything that is needed to read the data back (POSIX).
        guard (isDirectory ? fsync(descriptor) : fdatasync(descriptor)) == 0 else { throw FileError("fsync", path) }
        #endif
    }

    /// Reads the first bytes of an open file; fewer if the file was truncated in the meantime.
    static func read(_ descriptor: CInt, bytes size: Int, path: String) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        var position = 0
        while position < size {
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + position, size - position, off_t(position))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError("read", path) }
            // Truncated in the meantime.
            guard count > 0 else { return Array(bytes[..<position]) }
            position += count
        }
        return bytes
    }
}
