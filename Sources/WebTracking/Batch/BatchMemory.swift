// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The memory of one batch: the request body from the front, a mark for each record from the back.
///
/// It has one of two homes, the heap or a mapped file; what is above it does not know which.
///
/// A reference to raw memory and not an array, since every record is copied into it, and an array would be grown and
/// checked for each piece.
///
/// Invariant (which makes it sendable): only the batch that was made with the memory writes to it, and a batch is
/// written to only in its topic's critical section, before it is sealed. Memory is given to the memory pool when its
/// batch is done with, and not looked at through that batch any more. `base` is the start of `capacity` bytes unless
/// the memory is parked.
final class BatchMemory: @unchecked Sendable {
    private(set) var base: UnsafeMutableRawPointer
    let capacity: Int
    /// The file that the memory lives in; `nil` for the heap.
    let file: SpoolFile?
    /// Mixed into the check of every record; 0 where records have none, as they do not outlive the process.
    private(set) var seed: UInt64 = 0
    /// For memory on the heap, what its batch's file would say of it if there had been one to be had.
    var label: SpoolLabel?
    /// The bytes that the spool holds for the file that is to come.
    private let reserved = Atomic<Int>(0)
    /// Whether there was, or is, something held for a file for this: then it is used as that file would be. Set before the
    /// memory is used.
    private(set) var isForFile = false
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

    /// The capacity that memory asked for with `capacity` has: the marks at its end need their alignment.
    static func rounded(_ capacity: Int) -> Int { (capacity + 15) & ~15 }

    /// Copies `bytes` to the place `offset`.
    func write(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= self.capacity)
        bytes.withUnsafeBytes {
            guard let start = $0.baseAddress else { return }
            (self.base + offset).copyMemory(from: start, byteCount: $0.count)
        }
    }

    /// Whether the memory takes up memory now.
    var isResident: Bool { self.file.map { $0.page != nil } ?? true }

    /// Writes what stands before the records of a new batch; in a file, with the facts of the batch on its first page.
    func open(_ envelope: [UInt8], batchIDEnd: Int, label: SpoolLabel?) {
        self.write(envelope, at: 0)
        self.label = self.file == nil ? label : nil
        guard let page = self.file?.page, let label else { return }
        self.seed = label.seed
        self.written.front = envelope.count
        SpoolFormat.write(
            SpoolFormat.Header(
                seed: label.seed,
                capacity: self.capacity,
                order: label.order,
                openedAt: label.openedAt,
                envelopeBytes: envelope.count,
                envelopeCheck: RecordCheck.of(self.base, count: envelope.count, seed: label.seed),
                batchIDEnd: batchIDEnd,
                destination: label.destination,
                topic: label.topic
            ),
            to: page
        )
    }

    /// Notes that the spool holds so many bytes for a file for this.
    func reserveFile(_ bytes: Int) {
        if !self.isForFile { self.isForFile = true }
        self.reserved.add(bytes, ordering: .relaxed)
    }

    /// What the spool holds for a file for this; not any more then.
    func takeReserved() -> Int { self.reserved.exchange(0, ordering: .relaxed) }

    /// Whether there will be a file for this soon.
    var hasReservedFile: Bool { self.reserved.load(ordering: .relaxed) > 0 }

    /// Lets go of the mapping; what was written stays in the file.
    func unmap() {
        self.file?.unmap()
    }

    /// Maps the file again.
    func map() throws(FileError) {
        guard let file = self.file else { return }
        self.base = try file.map() + SpoolFormat.headerBytes
        // What was written to an adopted file's memory went with the mapping: the end of the sealed body.
        if file.isRecovered, self.written.front > 0 {
            self.write(Envelope.footer, at: self.written.front - Envelope.footer.count)
        }
    }

    /// Notes how much has been written to.
    func noteWritten(front: Int, back: Int) {
        self.written = (front, back)
    }

    /// Says in the file that its records are done with.
    func clear() {
        if let page = self.file?.page { SpoolFormat.clear(page) }
    }

    /// Makes the memory of a cleared file as that of a new one, for its next use: a reader finds zeros behind what was
    /// written, and what has been delivered does not stay on the disk.
    func wipe() {
        guard let file = self.file, file.page != nil else { return }
        memset(self.base, 0, self.written.front)
        memset(self.base + (self.capacity - self.written.back), 0, self.written.back)
        self.written = (0, 0)
    }
}

/// What a spool file says about the batch in it, beside what the batch itself says.
struct SpoolLabel {
    /// Mixed into the check of every record, so that those of an earlier use of the file do not pass; not 0.
    var seed: UInt64
    /// Rises with every batch of the folder.
    var order: UInt64
    /// Nanoseconds since 1970.
    var openedAt: Int64
    /// Project and logstore.
    var destination: String
    var topic: String
}
