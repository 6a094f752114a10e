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
        self.readMarks(descriptor, end: SpoolFormat.headerBytes + header.capacity)
    }

    /// Reads the marks before `end`, the first record's being the last.
    private mutating func readMarks(_ descriptor: CInt, end: Int) {
        var end = end
        while end > SpoolFormat.headerBytes {
            let start = max(end - 32 << 10, SpoolFormat.headerBytes)
            let marks = Self.read(descriptor, end - start, at: start)
            for place in stride(from: marks.count - Mark.size, through: 0, by: -Mark.size) {
                let bits = marks.withUnsafeBytes {
                    UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                }
                guard bits != 0 else { return }
                self.records += 1
                self.highestRank = max(self.highestRank, Mark(bits: bits).rank)
            }
            guard !marks.isEmpty else { return }
            end = start
        }
    }

    /// So many bytes of a file; none if there are not so many.
    private static func read(_ descriptor: CInt, _ count: Int, at offset: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        return pread(descriptor, &bytes, count, off_t(offset)) == count ? bytes : []
    }
}
