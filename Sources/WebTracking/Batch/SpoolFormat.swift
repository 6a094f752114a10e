// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// The format of a spool file, version 2. `Docs/Reference/SpoolFormat.md` describes it for readers of the files.
///
/// A file is a page of header, the request body from the front, and the records' marks from the back (see ``Batch``).
/// All numbers are little-endian.
enum SpoolFormat {
    static let version: UInt32 = 2
    /// The version before, which has other marks.
    static let oldVersion: UInt32 = 1
    /// Files of these versions are read.
    static let readVersions: ClosedRange<UInt32> = Self.oldVersion...Self.version
    /// The size of the header page.
    static let headerBytes = 4096
    /// The size of the largest file that can be one.
    static let largestFile = 1 << 30
    /// What the state says. Not 0 and 1, so that neither a flipped bit nor a zeroed sector turns one into the other.
    enum State {
        static let holding: UInt32 = 0x444C_4F48  // "HOLD"
        static let done: UInt32 = 0x454E_4F44  // "DONE"
    }
    /// A version above this is damage.
    static let highestPlausibleVersion: UInt32 = 255
    static let magic: UInt64 = 0x314C_4F4F_5053_5457  // "WTSPOOL1"

    enum Offset {
        static let magic = 0
        static let version = 8
        static let state = 12
        static let seed = 16
        static let capacity = 24
        static let openedAt = 32
        static let envelopeBytes = 40
        static let batchIDEnd = 44
        static let destinationBytes = 48
        static let topicBytes = 52
        static let envelopeCheck = 56
        static let check = 64
        static let order = 72
        static let texts = 80
        /// From here to the end of the page: kept for the identity that exactly-once writes need. It is outside of the
        /// header's check, since it is written later, and zero so far.
        static let identity = 1024
    }

    /// The header's fields.
    struct Header: Equatable, Sendable {
        var version = SpoolFormat.version
        /// The fields that are not in the batch.
        var label: SpoolLabel
        /// The bytes behind the header page; a multiple of 16.
        var capacity: Int
        /// How many bytes of the body stand before the first record.
        var envelopeBytes: Int
        /// The check of those bytes.
        var envelopeCheck: UInt64
        /// Where in the body the batch id ends; 0 if there is none.
        var batchIDEnd: Int

        var hasOldMarks: Bool { self.version == SpoolFormat.oldVersion }

        /// Whether the bytes before the first record are those that were written; there are that many.
        func hasWholeEnvelope(at base: UnsafeRawPointer) -> Bool {
            self.envelopeCheck == RecordCheck.of(base, count: self.envelopeBytes, seed: self.label.seed)
        }
    }

    /// The kind of a file, by its header.
    enum Kind: Equatable {
        /// Nothing is in it.
        case empty
        /// It holds records.
        case holding(Header)
        /// It was written by a version that this one does not know.
        case unknownVersion(UInt32)
        /// It is no spool file, or its header is damaged.
        case damaged
    }

    /// Writes a header, with `HOLD` last.
    ///
    /// A reader that comes in between finds the file empty.
    static func write(_ header: Header, to page: UnsafeMutableRawPointer) {
        let label = header.label
        // DONE first: a new file's state is zero, and half of a header with that would look damaged.
        self.clear(page)
        page.storeBytes(of: self.magic.littleEndian, toByteOffset: Offset.magic, as: UInt64.self)
        page.storeBytes(of: header.version.littleEndian, toByteOffset: Offset.version, as: UInt32.self)
        page.storeBytes(of: label.seed.littleEndian, toByteOffset: Offset.seed, as: UInt64.self)
        page.storeBytes(of: UInt64(header.capacity).littleEndian, toByteOffset: Offset.capacity, as: UInt64.self)
        page.storeBytes(of: label.openedAt.littleEndian, toByteOffset: Offset.openedAt, as: Int64.self)
        page.storeBytes(of: label.order.littleEndian, toByteOffset: Offset.order, as: UInt64.self)
        page.storeBytes(of: header.envelopeCheck.littleEndian, toByteOffset: Offset.envelopeCheck, as: UInt64.self)
        for (value, offset) in [
            (header.envelopeBytes, Offset.envelopeBytes), (header.batchIDEnd, Offset.batchIDEnd),
            (label.destination.utf8.count, Offset.destinationBytes), (label.topic.utf8.count, Offset.topicBytes),
        ] {
            page.storeBytes(of: UInt32(truncatingIfNeeded: value).littleEndian, toByteOffset: offset, as: UInt32.self)
        }
        let texts = Array(label.destination.utf8) + Array(label.topic.utf8)
        // They have at most 255 bytes (`NameRules`, `TopicKey`); a header with longer ones could not be read.
        precondition(texts.count <= Offset.identity - Offset.texts)
        UnsafeMutableRawBufferPointer(start: page + Offset.texts, count: texts.count).copyBytes(from: texts)
        memset(page + Offset.identity, 0, self.headerBytes - Offset.identity)
        page.storeBytes(
            of: self.check(page, textBytes: texts.count).littleEndian,
            toByteOffset: Offset.check,
            as: UInt64.self
        )
        SharedWord.store(State.holding, to: page + Offset.state)
    }

    /// The order of a file's batch in its folder. Reads only the header.
    static func order(of path: String) throws(FileError) -> UInt64 {
        let descriptor: CInt
        do throws(FileError) { descriptor = try FileSystem.open(path, flags: O_RDONLY | O_NONBLOCK) } catch {
            if error.isAbsence { return .max }
            throw error
        }
        defer { close(descriptor) }
        var head = [UInt8](repeating: 0, count: Offset.texts)
        let count = pread(descriptor, &head, head.count, 0)
        // EISDIR is a folder, ESPIPE a pipe (man 2 pread). Neither is a spool file, and neither is a failure.
        if count < 0, errno != EISDIR, errno != ESPIPE { throw FileError("read", path) }
        guard count == head.count else { return .max }
        return head.withUnsafeBytes { head in
            guard UInt64(littleEndian: head.loadUnaligned(fromByteOffset: Offset.magic, as: UInt64.self)) == self.magic
            else { return .max }
            return UInt64(littleEndian: head.loadUnaligned(fromByteOffset: Offset.order, as: UInt64.self))
        }
    }

    /// Marks the file as done.
    static func clear(_ page: UnsafeMutableRawPointer) {
        SharedWord.store(State.done, to: page + Offset.state)
    }

    /// The same for a file that is not mapped, as far as it can be written to: on a disk that is full a mapped page may
    /// find no block, which ends the process.
    static func clear(fileAt path: String) {
        guard let descriptor = try? FileSystem.open(path, flags: O_WRONLY | O_NONBLOCK) else { return }
        defer { close(descriptor) }
        withUnsafeBytes(of: State.done.littleEndian) { state in
            _ = pwrite(descriptor, state.baseAddress, state.count, off_t(Offset.state))
        }
    }

    /// Reads a header page.
    static func read(_ page: UnsafeRawBufferPointer) -> Kind {
        guard page.count >= self.headerBytes, let base = page.baseAddress else { return .damaged }
        func number(_ offset: Int) -> Int {
            Int(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        }
        func wide(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        if page.prefix(self.headerBytes).allSatisfy({ $0 == 0 }) { return .empty }
        // The state of a new file is written first, and the magic and the version next.
        let isUnwritten = wide(Offset.magic) == 0 || (wide(Offset.magic) == self.magic && number(Offset.version) == 0)
        if isUnwritten, number(Offset.state) == State.done, page[Offset.seed..<self.headerBytes].allSatisfy({ $0 == 0 })
        {
            return .empty
        }
        guard wide(Offset.magic) == self.magic else { return .damaged }
        let version = UInt32(truncatingIfNeeded: number(Offset.version))
        guard self.readVersions.contains(version) else {
            return (1...self.highestPlausibleVersion).contains(version) ? .unknownVersion(version) : .damaged
        }
        if number(Offset.state) == State.done { return .empty }
        let destinationBytes = number(Offset.destinationBytes)
        let topicBytes = number(Offset.topicBytes)
        let capacity = wide(Offset.capacity)
        let textsEnd = version == self.oldVersion ? self.headerBytes : Offset.identity
        guard number(Offset.state) == State.holding, destinationBytes + topicBytes <= textsEnd - Offset.texts,
            capacity <= 1 << 30, capacity % 16 == 0,
            wide(Offset.check) == self.check(base, textBytes: destinationBytes + topicBytes),
            number(Offset.envelopeBytes) <= Int(capacity), number(Offset.batchIDEnd) <= number(Offset.envelopeBytes)
        else { return .damaged }
        let texts = page[Offset.texts...]
        return .holding(
            Header(
                version: version,
                label: SpoolLabel(
                    seed: wide(Offset.seed),
                    order: wide(Offset.order),
                    openedAt: Int64(bitPattern: wide(Offset.openedAt)),
                    destination: String(decoding: texts.prefix(destinationBytes), as: UTF8.self),
                    topic: String(decoding: texts.dropFirst(destinationBytes).prefix(topicBytes), as: UTF8.self)
                ),
                capacity: Int(capacity),
                envelopeBytes: number(Offset.envelopeBytes),
                envelopeCheck: wide(Offset.envelopeCheck),
                batchIDEnd: number(Offset.batchIDEnd)
            )
        )
    }

    /// The check over everything in the header but the state and the check itself.
    private static func check(_ page: UnsafeRawPointer, textBytes: Int) -> UInt64 {
        // The state is left out, since it changes alone when the records are settled.
        let head = RecordCheck.of(page + Offset.seed, count: Offset.check - Offset.seed, seed: self.magic)
        return RecordCheck.of(page + Offset.order, count: Offset.texts - Offset.order + textBytes, seed: head)
    }
}

/// The fields of a spool file's header that are not in the batch.
struct SpoolLabel: Equatable, Sendable {
    /// The seed of the records' checks, so that those of an earlier use of the file do not pass; not 0.
    var seed: UInt64
    /// Increases with each batch of the folder. Files are used again, so their names do not show the order.
    var order: UInt64
    /// When the first record came, in nanoseconds since 1970.
    var openedAt: Int64
    /// Project and logstore, with a slash between.
    var destination: String
    var topic: String
}
