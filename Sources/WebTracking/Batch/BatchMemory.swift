// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTrackingPlatform

/// The memory of one batch: the request body from the front, a mark for each record from the back.
///
/// On the heap or in a mapped file.
///
/// Raw memory: an array checks bounds and uniqueness for each piece that is copied into it.
///
/// Invariants (which make it sendable):
/// - Only the batch that was made with the memory writes to it, and only before it is sealed: under the lock of its
///   topic, or a caller at the place that it has claimed alone (``AppendLane``). Such a place is read after its mark.
/// - The memory of a settled batch may be used for another one. The old batch does not use it any more.
/// - `base` is the start of `capacity` bytes, unless the file is unmapped.
final class BatchMemory: @unchecked Sendable {
    private(set) var base: UnsafeMutableRawPointer
    let capacity: Int
    /// The file that the memory lives in; `nil` for the heap.
    let file: SpoolFile?
    /// Part of every record's check; 0 if records have no check, as they do not outlive the process.
    private(set) var seed: UInt64 = 0
    /// For memory on the heap: the header's fields of the file that it may be moved to.
    var label: SpoolLabel?
    /// The bytes that the spool has reserved for a file that is still to be made.
    private let reserved = Atomic<Int>(0)
    /// Whether bytes were ever reserved for its file. Then the memory is used as the file would be. Set before the
    /// memory is used.
    private var isForFile = false
    /// The memory that this was copied from. It is kept as long as this one.
    private(set) var origin: BatchMemory?
    /// How much of a file's memory has been written to, from the front and from the back.
    private var written = (front: 0, back: 0)

    /// Memory on the heap.
    init(capacity: Int) {
        self.capacity = Self.rounded(capacity)
        self.base = .allocate(byteCount: self.capacity, alignment: 16)
        self.file = nil
    }

    /// The memory in a file that is mapped at `page`.
    init(file: SpoolFile, page: UnsafeMutableRawPointer, seed: UInt64) {
        self.capacity = file.bytes - SpoolFormat.headerBytes
        self.base = page + SpoolFormat.headerBytes
        self.file = file
        self.seed = seed
    }

    /// A copy on the heap of memory that another process has filled.
    init(copying bytes: UnsafeRawBufferPointer, seed: UInt64) {
        self.capacity = bytes.count
        self.base = .allocate(byteCount: max(bytes.count, 1), alignment: 16)
        self.file = nil
        self.seed = seed
        if let start = bytes.baseAddress { self.base.copyMemory(from: start, byteCount: bytes.count) }
    }

    deinit {
        if self.file == nil { self.base.deallocate() }
    }

    /// `capacity` rounded up, so that the marks at the end are aligned.
    static func rounded(_ capacity: Int) -> Int { (capacity + 15) & ~15 }

    /// Copies `bytes` to the place `offset`.
    func write(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= self.capacity)
        bytes.withUnsafeBytes {
            guard let start = $0.baseAddress else { return }
            (self.base + offset).copyMemory(from: start, byteCount: $0.count)
        }
    }

    /// Fills the places of the marks of these records with zeros.
    func clearMarks(from first: Int, to last: Int) {
        precondition(first >= 0 && last >= first && last * Mark.size <= self.capacity)
        memset(self.base + (self.capacity - last * Mark.size), 0, (last - first) * Mark.size)
    }

    /// Whether it is in memory now: on the heap, or mapped.
    var isResident: Bool { self.file.map { $0.page != nil } ?? true }

    /// The bytes that it takes up now.
    var heldBytes: Int { self.isResident ? self.capacity : 0 }

    /// Whether it cannot grow: it is as large as its file is, or will be.
    var isFixed: Bool { self.file != nil || self.isForFile }

    /// The file that is released when all its records are settled.
    var spoolFile: SpoolFile? { self.file ?? self.origin?.file }

    /// Keeps `origin`, of which this is a copy, as long as this is in use.
    func keep(_ origin: BatchMemory) { self.origin = origin }

    /// Uses a file's memory for a new batch, of which `front` bytes are written already.
    func start(with seed: UInt64, front: Int) {
        self.seed = seed
        self.written.front = front
    }

    /// Notes that the spool has reserved so many bytes for its file.
    func reserveFile(_ bytes: Int) {
        guard bytes > 0 else { return }
        if !self.isForFile { self.isForFile = true }
        self.reserved.add(bytes, ordering: .relaxed)
    }

    /// Returns the number of bytes that are reserved for its file, and sets it to zero.
    func takeReserved() -> Int { self.reserved.exchange(0, ordering: .relaxed) }

    /// Whether a file is reserved for it.
    var hasReservedFile: Bool { self.reserved.load(ordering: .relaxed) > 0 }

    /// Unmaps the file. What was written stays in it.
    func unmap() {
        self.file?.unmap()
        self.origin?.unmap()
    }

    /// Maps the file again.
    func map() throws(FileError) {
        guard let file = self.file else { return }
        self.base = try file.map() + SpoolFormat.headerBytes
        // A recovered file is mapped privately. What was written to it, the end of the body, went with the old mapping.
        if file.isRecovered, self.written.front > 0 {
            self.write(Envelope.footer, at: self.written.front - Envelope.footer.count)
        }
    }

    /// Notes how much has been written to.
    func noteWritten(front: Int, back: Int) {
        self.written = (front, back)
    }

    /// Marks the file as done.
    func clear() {
        if let page = self.file?.page { SpoolFormat.clear(page) }
    }

    /// Fills the memory of a cleared file with zeros, for its next use. So a reader finds zeros behind the last mark,
    /// and delivered records do not stay on the disk.
    func wipe() {
        guard let file = self.file, file.page != nil else { return }
        // The header says DONE already (`clear`), so a reader that comes in the middle finds the file empty.
        memset(self.base, 0, self.written.front)
        memset(self.base + (self.capacity - self.written.back), 0, self.written.back)
        self.written = (0, 0)
    }
}
