// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A file that is the home of a batch's memory.
///
/// No descriptor is kept: a backlog of a gibibyte has thousands of files.
///
/// Invariant (which makes it sendable): only the holder of the batch maps, unmaps, opens and finishes its file, as with
/// ``BatchMemory``; `page` is the start of a mapping of `bytes` bytes, or `nil`.
final class SpoolFile: @unchecked Sendable {
    let path: String
    let bytes: Int
    /// Keeps the folder locked for as long as there is one of its files.
    let spoolFolder: SpoolFolder
    private(set) var page: UnsafeMutableRawPointer?
    /// Whether a dead producer made it: what is written to its memory stays in memory then, and needs no room on the disk.
    let isRecovered: Bool
    /// Whether no batch has been in the file yet.
    var isNew: Bool
    /// The number that the file system has for the file; `nil` for one that was there before.
    private let inode: ino_t?
    /// Whether the file is damaged and there is no copy of it: it must not be removed or used again.
    var isQuarantined = false
    /// Whether what is in the file is kept for somebody to look at, whatever becomes of the file.
    var isKept = false

    /// A mapping that is to be ended.
    struct Mapping: @unchecked Sendable {
        let page: UnsafeMutableRawPointer
        let bytes: Int

        func end() { munmap(self.page, self.bytes) }
    }

    private init(path: String, bytes: Int, spoolFolder: SpoolFolder, page: UnsafeMutableRawPointer?, inode: ino_t?) {
        self.isRecovered = inode == nil
        self.isNew = inode != nil
        self.inode = inode
        self.path = path
        self.bytes = bytes
        self.spoolFolder = spoolFolder
        self.page = page
    }

    deinit {
        self.unmap()
    }

    /// The size of a file whose memory has `capacity` bytes.
    static func bytes(capacity: Int) -> Int {
        (SpoolFormat.headerBytes + capacity + 4095) & ~4095
    }

    /// Makes a file, empty and mapped. Nothing is left behind if that fails.
    static func make(_ path: String, capacity: Int, spoolFolder: SpoolFolder) throws(FileError) -> SpoolFile {
        let bytes = self.bytes(capacity: capacity)
        let descriptor = try FileSystem.open(path, flags: O_RDWR | O_CREAT | O_EXCL)
        defer { close(descriptor) }
        spoolFolder.access.share(descriptor)
        do throws(FileError) {
            try FileSystem.allocate(descriptor, bytes: bytes, path: path)
            let page = try FileSystem.map(descriptor, bytes: bytes, path: path)
            var status = stat()
            let inode = fstat(descriptor, &status) == 0 ? status.st_ino : 0
            return SpoolFile(path: path, bytes: bytes, spoolFolder: spoolFolder, page: page, inode: inode)
        } catch {
            unlink(path)
            throw error
        }
    }

    /// A file that a dead producer has left, not mapped.
    static func recovered(_ path: String, bytes: Int, spoolFolder: SpoolFolder) -> SpoolFile {
        SpoolFile(path: path, bytes: bytes, spoolFolder: spoolFolder, page: nil, inode: nil)
    }

    /// Maps the file.
    func map() throws(FileError) -> UnsafeMutableRawPointer {
        if let page = self.page { return page }
        let descriptor = try FileSystem.open(self.path, flags: self.isRecovered ? O_RDONLY | O_NONBLOCK : O_RDWR)
        defer { close(descriptor) }
        // A mapping past the end of a file that somebody has cut ends the process.
        guard try FileSystem.size(descriptor, path: self.path, access: self.spoolFolder.access) >= self.bytes else {
            throw FileError("mmap", self.path, code: EIO)
        }
        let page = try FileSystem.map(descriptor, bytes: self.bytes, isPrivate: self.isRecovered, path: self.path)
        self.page = page
        return page
    }

    func unmap() { self.detach()?.end() }

    /// Gives the mapping away; the file is as if it were not mapped.
    func detach() -> Mapping? { self.page.take().map { Mapping(page: $0, bytes: self.bytes) } }

    /// Whether the file is where it was. One that cannot be seen at present is there still.
    var isThere: Bool {
        var status = stat()
        guard lstat(self.path, &status) == 0 else { return errno != ENOENT && errno != ENOTDIR }
        return self.inode.map { $0 == 0 || $0 == status.st_ino } ?? true
    }

    /// Removes the file. One that cannot be removed says at least that it holds nothing any more, so that no start sends
    /// its records again.
    func remove() {
        self.unmap()
        if unlink(self.path) != 0, errno != ENOENT { SpoolFormat.clear(fileAt: self.path) }
    }
}
