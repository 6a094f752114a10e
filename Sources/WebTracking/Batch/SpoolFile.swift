// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTrackingPlatform

/// A file that holds a batch's memory.
///
/// It keeps no descriptor open: a backlog of 1 GiB has thousands of files.
///
/// Invariant (which makes it sendable): only the holder of the batch maps, unmaps, opens and finishes its file, as with
/// ``BatchMemory``; `page` is the start of a mapping of `bytes` bytes, or `nil`.
final class SpoolFile: @unchecked Sendable {
    let path: String
    let bytes: Int
    /// Keeps the folder locked as long as one of its files is in use.
    let spoolFolder: SpoolFolder
    private(set) var page: UnsafeMutableRawPointer?
    /// Whether a dead producer made the file. Then stores stay in memory, so they need no room on the disk.
    let isRecovered: Bool
    /// Whether no batch was in the file so far.
    var isNew: Bool
    /// The file system's number of the file; `nil` for a file that existed before.
    private let inode: ino_t?
    /// Whether the file is damaged and has no copy. It must not be removed or used again.
    var isQuarantined = false
    /// Whether its contents are kept for a human to look at, in a copy or in the file itself.
    var isKept = false
    /// Whether its records are settled, so that the file may be gone.
    let isReleased = Atomic<Bool>(false)

    /// At most so many files are mapped at a time, over all producers. Linux allows a process 65,530 mappings
    /// (`vm.max_map_count`); beyond that, the next large allocation of the program fails and ends it.
    static let mostMapped = 16_384
    /// So many of these are for batches that are to be sent: new files must not hold all of them.
    static let mappedForSending = 1024
    private static let mapped = Atomic<Int>(0)

    /// Whether there is room for one more new file.
    static var mayMake: Bool { Self.mapped.load(ordering: .relaxed) < Self.mostMapped - Self.mappedForSending }

    /// A mapping that is to be ended.
    struct Mapping: @unchecked Sendable {
        let page: UnsafeMutableRawPointer
        let bytes: Int

        func end() {
            munmap(self.page, self.bytes)
            SpoolFile.mapped.subtract(1, ordering: .relaxed)
        }
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

    /// Makes an empty, mapped file. Leaves nothing behind if that fails.
    static func make(_ path: String, capacity: Int, spoolFolder: SpoolFolder) throws(FileError) -> SpoolFile {
        let bytes = self.bytes(capacity: capacity)
        // First of all: at the bound each batch that waits in memory asks for a file again and again.
        try self.count(most: self.mostMapped - self.mappedForSending, path)
        var page: UnsafeMutableRawPointer?
        defer { if page == nil { self.mapped.subtract(1, ordering: .relaxed) } }
        let descriptor = try FileSystem.open(path, flags: O_RDWR | O_CREAT | O_EXCL)
        defer { close(descriptor) }
        spoolFolder.access.share(descriptor)
        do throws(FileError) {
            try FileSystem.allocate(descriptor, bytes: bytes, path: path)
            // The mapping outlives the descriptor (man 2 mmap), so a file in use takes none of `ulimit -n`.
            page = try FileSystem.map(descriptor, bytes: bytes, path: path)
            var status = stat()
            let inode = fstat(descriptor, &status) == 0 ? status.st_ino : 0
            return SpoolFile(path: path, bytes: bytes, spoolFolder: spoolFolder, page: page, inode: inode)
        } catch {
            // At once: on ext4, a failed allocation keeps all the space that it got
            // (findings/ext4-failed-fallocate-takes-the-rest.sh).
            unlink(path)
            throw error
        }
    }

    /// A file of a dead producer, not mapped.
    static func recovered(_ path: String, bytes: Int, spoolFolder: SpoolFolder) -> SpoolFile {
        SpoolFile(path: path, bytes: bytes, spoolFolder: spoolFolder, page: nil, inode: nil)
    }

    /// Maps the file.
    func map() throws(FileError) -> UnsafeMutableRawPointer {
        if let page = self.page { return page }
        // A private mapping takes stores although the file is open for reading only (man 2 mmap, EACCES).
        let descriptor = try FileSystem.open(self.path, flags: self.isRecovered ? O_RDONLY | O_NONBLOCK : O_RDWR)
        defer { close(descriptor) }
        // If the file was truncated, an access past its end would end the process.
        guard try FileSystem.size(descriptor, path: self.path, access: self.spoolFolder.access) >= self.bytes else {
            throw FileError("mmap", self.path, code: EIO)
        }
        // No allocation here: a full xfs refuses it even if the file has all its blocks
        // (findings/xfs-fallocate-of-a-whole-file.sh).
        try Self.count(most: Self.mostMapped, self.path)
        do throws(FileError) {
            let page = try FileSystem.map(descriptor, bytes: self.bytes, isPrivate: self.isRecovered, path: self.path)
            self.page = page
            return page
        } catch {
            Self.mapped.subtract(1, ordering: .relaxed)
            throw error
        }
    }

    /// Counts one more mapping. Fails, as the system would, if there are so many.
    private static func count(most: Int, _ path: String) throws(FileError) {
        guard self.mapped.add(1, ordering: .relaxed).newValue > most else { return }
        self.mapped.subtract(1, ordering: .relaxed)
        throw FileError("mmap (\(most) files are mapped)", path, code: ENOMEM)
    }

    func unmap() { self.detach()?.end() }

    /// Returns the mapping to the caller. For the file, it counts as unmapped.
    func detach() -> Mapping? { self.page.take().map { Mapping(page: $0, bytes: self.bytes) } }

    /// Whether the file still exists at its path. If that cannot be checked now, it counts as existing.
    var isThere: Bool {
        var status = stat()
        guard lstat(self.path, &status) == 0 else { return errno != ENOENT && errno != ENOTDIR }
        return self.inode.map { $0 == 0 || $0 == status.st_ino } ?? true
    }

    /// Whether the file has gone, and not because its records are settled.
    var isLost: Bool { !self.isThere && !self.isReleased.load(ordering: .relaxed) }

    /// Removes the file. If it cannot be removed, marks it as empty, so that no later process sends its records again.
    func remove() {
        self.unmap()
        if unlink(self.path) != 0, errno != ENOENT { SpoolFormat.clear(fileAt: self.path) }
    }
}
