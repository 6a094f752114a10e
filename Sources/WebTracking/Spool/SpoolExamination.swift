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

#if SwiftLog
import Logging
#endif

/// What is found in a spool file that some process has left.
enum SpoolFinding {
    /// Nothing that was ever a record.
    case empty
    /// Records, all whole or with something damaged behind them.
    case records(Segment, SpoolFormat.Header, damage: String?)
    /// Records of another project or logstore.
    case foreign(destination: String)
    /// A format that this version does not know.
    case unknownVersion(UInt32)
    /// Not a single whole record, but not empty either.
    case damaged(String)
}

/// Looks into spool files.
enum SpoolExamination {
    /// What is in a file of a folder whose lock is held. Records are checked one by one; the file stays mapped.
    static func examine(
        _ path: String,
        box: SpoolBox,
        destination: String?,
        openedAt: (Int64) -> MonotonicInstant
    ) throws(FileError) -> SpoolFinding {
        let descriptor = try FileSystem.open(path, flags: O_RDWR)
        let size: Int
        do throws(FileError) { size = try FileSystem.size(descriptor, path: path) } catch {
            close(descriptor)
            throw error
        }
        close(descriptor)
        if size == 0 { return .empty }
        guard size >= SpoolFormat.headerBytes, size <= 1 << 30 else {
            return .damaged("\(size) bytes are no spool file")
        }
        let file = SpoolFile.existing(path, bytes: size, box: box)
        let page = try file.map()
        switch SpoolFormat.read(UnsafeRawBufferPointer(start: page, count: size)) {
        case .empty: return .empty
        case .unknownVersion(let version): return .unknownVersion(version)
        case .damaged: return .damaged("the header is not whole")
        case .holding(let header):
            if let destination, header.destination != destination { return .foreign(destination: header.destination) }
            return self.records(header, in: file, page: page, openedAt: openedAt(header.openedAt))
        }
    }

    private static func records(
        _ header: SpoolFormat.Header,
        in file: SpoolFile,
        page: UnsafeMutableRawPointer,
        openedAt: MonotonicInstant
    ) -> SpoolFinding {
        let memory = SegmentMemory(file: file, page: page, seed: header.seed)
        guard memory.capacity == header.capacity else {
            // The marks are at the end of the file, which is not where it was.
            return SpoolSalvage.records(header, in: memory, openedAt: openedAt).map {
                .records(
                    $0,
                    header,
                    damage:
                        "the file is \(file.bytes) bytes long instead of \(header.capacity + SpoolFormat.headerBytes)"
                )
            } ?? .damaged("the file has been cut")
        }
        let (segment, isWhole) = Segment.recovered(header, memory: memory, openedAt: openedAt)
        switch (segment, isWhole) {
        case (let segment?, true): return .records(segment, header, damage: nil)
        case (let segment?, false): return .records(segment, header, damage: "a record is not whole")
        case (nil, true): return .empty
        case (nil, false): return .damaged("the first record is not whole")
        }
    }
}

/// Finds whole records in a file that has lost its marks, by their text.
enum SpoolSalvage {
    /// The records at the front of the body that are JSON objects, as a segment on the heap; `nil` if there is none, or
    /// the envelope is damaged.
    static func records(_ header: SpoolFormat.Header, in memory: SegmentMemory, openedAt: MonotonicInstant) -> Segment?
    {
        guard header.envelopeBytes <= memory.capacity,
            header.envelopeCheck == RecordCheck.of(memory.base, count: header.envelopeBytes, seed: header.seed)
        else { return nil }
        let body = UnsafeRawBufferPointer(start: memory.base, count: memory.capacity)
        let envelope = Array(body[..<header.envelopeBytes])
        var records: [Range<Int>] = []
        var start = header.envelopeBytes
        // A record ends where the separator is, or where nothing was written yet.
        while start < body.count, let end = Self.end(of: body, from: start) {
            guard (try? JSONValue.parse(Array(body[start..<end]))) != nil else { break }
            records.append(start..<end)
            start = end + Envelope.separatorCount
        }
        guard !records.isEmpty else { return nil }
        let bytes = records.reduce(0) { $0 + $1.count + Envelope.separatorCount }
        var segment = Segment(
            header: envelope,
            batchIDEnd: header.batchIDEnd,
            openedAt: openedAt,
            memory: SegmentMemory(capacity: Segment.bytes(header: envelope) + bytes + (records.count + 2) * 8)
        )
        for record in records {
            let text = UnsafeRawBufferPointer(rebasing: body[record])
            segment.append(
                EncodedRecord(opening: Envelope.separator, sequence: nil, members: text),
                rank: LogLevel.info.rank,
                isSynthetic: false
            )
        }
        segment.seal()
        segment.keep(memory)
        return segment
    }

    /// Where the record that starts at `start` ends: before a line feed's comma, before `]}`, or before a zero.
    private static func end(of body: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard body[start] == UInt8(ascii: "{") else { return nil }
        var position = start
        while position < body.count {
            switch body[position] {
            case UInt8(ascii: "\n"): return position - 1
            case UInt8(ascii: "]") where position + 1 < body.count && body[position + 1] == UInt8(ascii: "}"):
                if (try? JSONValue.parse(Array(body[start..<position]))) != nil { return position }
            case 0: return position
            default: break
            }
            position += 1
        }
        return nil
    }
}
