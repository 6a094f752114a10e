// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// What a spool file's header and marks say, without a look at its records.
struct SpoolFileSummary {
    let kind: SpoolFormat.Kind
    let bytes: Int
    /// How many records have marks, and the rank of the most severe one; 0 for what is not looked at.
    private(set) var records = 0
    private(set) var highestRank = 0

    /// Looks at a file; `nil` if it is no plain file of a spool's size. The marks are read if the header is one that
    /// `isOfInterest`.
    init?(
        _ path: String,
        access: SpoolAccess?,
        marks isOfInterest: (SpoolFormat.Header) -> Bool
    ) throws(FileError) {
        let descriptor = try FileSystem.open(path, flags: O_RDONLY | O_NONBLOCK)
        defer { close(descriptor) }
        guard try FileSystem.entry(descriptor, path: path).isPlainFile else { return nil }
        self.bytes = try FileSystem.size(descriptor, path: path, access: access)
        let page = Self.read(descriptor, SpoolFormat.headerBytes, at: 0)
        guard !page.isEmpty else { return nil }
        self.kind = page.withUnsafeBytes { SpoolFormat.read($0) }
        guard case .holding(let header) = self.kind, isOfInterest(header) else { return }
        self.readMarks(descriptor, of: header)
    }

    /// Reads the marks, a part of the file after the other.
    private mutating func readMarks(_ descriptor: CInt, of header: SpoolFormat.Header) {
        var walk = MarkWalk(header)
        var part: (start: Int, bytes: [UInt8]) = (header.capacity, [])
        while let place = walk.next() {
            if place < part.start {
                let end = place + walk.size
                let start = max(end - Self.partBytes, 0)
                part = (start, Self.read(descriptor, end - start, at: SpoolFormat.headerBytes + start))
                guard !part.bytes.isEmpty else { return }
            }
            let offset = place - part.start + walk.size - 8
            let word = part.bytes.withUnsafeBytes {
                UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            }
            if let found = walk.record(word, at: place) {
                self.records += 1
                self.highestRank = max(self.highestRank, walk.rank(word))
                walk.end = found.text.upperBound
            } else if walk.isOld {
                return
            }
        }
    }

    private static let partBytes = 32 << 10

    /// So many bytes of a file; none if there are not so many.
    private static func read(_ descriptor: CInt, _ count: Int, at offset: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        return pread(descriptor, &bytes, count, off_t(offset)) == count ? bytes : []
    }
}
