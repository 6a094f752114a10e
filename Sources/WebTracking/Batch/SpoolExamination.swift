// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

#if SwiftLog
import Logging
#endif

/// What is found in a spool file that some process has left.
enum SpoolFinding {
    /// Nothing that was ever a record.
    case empty
    /// The whole records, and what else is damaged; the batch is not sealed.
    case records(OpenBatch, SpoolFormat.Header, damage: String?)
    /// Records of another project or logstore.
    case foreign(destination: String)
    /// A format that this version does not know.
    case unknownVersion(UInt32)
    /// Not a single whole record, but not empty either.
    case damaged(String)
}

/// Looks into spool files. Nothing is written to them.
enum SpoolExamination {
    /// What is in a file of a folder whose lock is held. Records are checked one by one.
    ///
    /// The file stays mapped, and what is written to its memory stays in memory: neither needs room on the disk. A file
    /// with holes is read instead, since on some file systems a page of a mapping has to find a block even to be read,
    /// and ends the process if it does not. Blocks that are there but were never written to are no holes.
    static func examine(
        _ path: String,
        spoolFolder: SpoolFolder,
        destination: String?,
        openedAt: (Int64) -> MonotonicInstant
    ) throws(FileError) -> SpoolFinding {
        let descriptor = try FileSystem.open(path, flags: O_RDONLY | O_NONBLOCK)
        defer { close(descriptor) }
        guard try FileSystem.entry(descriptor, path: path).isPlainFile else { return .damaged("it is no plain file") }
        let size = try FileSystem.size(descriptor, path: path, access: spoolFolder.access)
        // A process may have died between the making of the file and the allocation of its blocks.
        if size == 0 { return .empty }
        guard (SpoolFormat.headerBytes...SpoolFormat.largestFile).contains(size) else { return self.wrongSize(size) }
        let file = SpoolFile.recovered(path, bytes: size, spoolFolder: spoolFolder)
        if try FileSystem.hasHoles(descriptor, path: path) {
            let bytes = try FileSystem.read(descriptor, bytes: size, path: path)
            let finding = bytes.withUnsafeBytes {
                self.examine(copyOf: $0, destination: destination, openedAt: openedAt)
            }
            guard case .records(let batch, let header, let damage) = finding else { return finding }
            // The file goes when the copy is delivered.
            batch.memory.keep(BatchMemory(file: file, page: try file.map(), seed: 0))
            return .records(batch, header, damage: damage)
        }
        let page = try file.map()
        return self.examine(
            UnsafeRawBufferPointer(start: page, count: size),
            destination: destination,
            openedAt: openedAt
        ) { BatchMemory(file: file, page: page, seed: $0) }
    }

    /// What is in the bytes of a file of any user. The findings refer to a copy of them.
    static func examine(
        copyOf bytes: UnsafeRawBufferPointer,
        destination: String? = nil,
        openedAt: (Int64) -> MonotonicInstant = { _ in MonotonicInstant(nanoseconds: 0) }
    ) -> SpoolFinding {
        if bytes.isEmpty { return .empty }
        guard (SpoolFormat.headerBytes...SpoolFormat.largestFile).contains(bytes.count) else {
            return self.wrongSize(bytes.count)
        }
        let body = UnsafeRawBufferPointer(rebasing: bytes[SpoolFormat.headerBytes...])
        return self.examine(bytes, destination: destination, openedAt: openedAt) {
            BatchMemory(copying: body, seed: $0)
        }
    }

    private static func wrongSize(_ size: Int) -> SpoolFinding { .damaged("\(size) bytes are no spool file") }

    private static func examine(
        _ file: UnsafeRawBufferPointer,
        destination: String?,
        openedAt: (Int64) -> MonotonicInstant,
        memory: (UInt64) -> BatchMemory
    ) -> SpoolFinding {
        switch SpoolFormat.read(file) {
        case .empty:
            // The header is written before the first mark. If there are marks without it, its page was zeroed later.
            let isNew = file.prefix(SpoolFormat.headerBytes).allSatisfy { $0 == 0 }
            if isNew, !file.suffix(8).allSatisfy({ $0 == 0 }) { return .damaged("the header is gone") }
            return .empty
        case .unknownVersion(let version): return .unknownVersion(version)
        case .damaged: return .damaged("the header is not whole")
        case .holding(let header):
            let label = header.label
            if let destination, label.destination != destination { return .foreign(destination: label.destination) }
            return self.records(header, in: memory(label.seed), openedAt: openedAt(label.openedAt))
        }
    }

    private static func records(
        _ header: SpoolFormat.Header,
        in memory: BatchMemory,
        openedAt: MonotonicInstant
    ) -> SpoolFinding {
        guard memory.capacity == header.capacity else {
            // The marks are at the end of the file, which is not where it was.
            let sizes = [memory.capacity, header.capacity].map { $0 + SpoolFormat.headerBytes }
            let reason = "the file is \(sizes[0]) bytes long instead of \(sizes[1])"
            return SpoolSalvage.records(header, in: memory, openedAt: openedAt)
                .map { .records($0, header, damage: reason) } ?? .damaged(reason)
        }
        let (batch, isWhole) = OpenBatch.recovered(header, memory: memory, openedAt: openedAt)
        switch (batch, isWhole) {
        case (let batch?, true): return .records(batch, header, damage: nil)
        case (let batch?, false): return .records(batch, header, damage: "a record is not whole")
        case (nil, true): return .empty
        case (nil, false): return .damaged("no record is whole")
        }
    }
}

/// Finds whole records in a file that has lost its marks, by their text.
enum SpoolSalvage {
    /// The records of the body that are JSON objects, as a batch on the heap; `nil` if there is none, or the envelope is
    /// damaged.
    static func records(_ header: SpoolFormat.Header, in memory: BatchMemory, openedAt: MonotonicInstant) -> OpenBatch?
    {
        guard header.envelopeBytes <= memory.capacity, header.hasWholeEnvelope(at: memory.base) else { return nil }
        let body = UnsafeRawBufferPointer(start: memory.base, count: memory.capacity)
        var records: [RecoveredRecords.Record] = []
        var start = header.envelopeBytes
        while start < body.count {
            if let end = Self.end(of: body, from: start), (try? JSONValue.parse(Array(body[start..<end]))) != nil {
                records.append(.init(text: start..<end, rank: LogLevel.info.rank, isSynthetic: false))
                start = end + Envelope.separatorCount
            } else if let next = memchr(memory.base + start, CInt(UInt8(ascii: "\n")), body.count - start) {
                // What was never written, or is damaged, hides nothing behind it: a line feed is between two records only.
                start = UnsafeMutableRawPointer(next) - memory.base + 1
            } else {
                break
            }
        }
        return records.isEmpty ? nil : OpenBatch(records, of: header, in: memory, openedAt: openedAt)
    }

    /// Where the record that starts at `start` ends: behind the brace that closes its object. One pass, whatever the record
    /// says in its texts.
    private static func end(of body: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard body[start] == UInt8(ascii: "{") else { return nil }
        var depth = 0
        var isInText = false
        var position = start
        while position < body.count {
            switch body[position] {
            case 0, UInt8(ascii: "\n"): return nil
            case UInt8(ascii: "\\") where isInText && body[min(position + 1, body.count - 1)] != UInt8(ascii: "\n"):
                position += 1
            case UInt8(ascii: "\""): isInText.toggle()
            case UInt8(ascii: "{") where !isInText: depth += 1
            case UInt8(ascii: "}") where !isInText:
                depth -= 1
                if depth == 0 { return position + 1 }
            default: break
            }
            position += 1
        }
        return nil
    }
}
