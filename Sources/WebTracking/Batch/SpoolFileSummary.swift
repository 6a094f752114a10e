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

    /// Reads the marks, of which the first record's is the last.
    private mutating func readMarks(_ descriptor: CInt, of header: SpoolFormat.Header) {
        let isOld = header.version == 1
        let size = isOld ? RecoveredRecords.oldMarkSize : Mark.size
        var text = header.envelopeBytes
        var missing = 0
        var end = header.capacity
        while end > 0 {
            let start = max(end - 32 << 10, 0)
            let marks = Self.read(descriptor, end - start, at: SpoolFormat.headerBytes + start)
            for place in stride(from: marks.count - size, through: 0, by: -size) {
                let bits = marks.withUnsafeBytes {
                    UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: place + size - 8, as: UInt64.self))
                }
                let mark = Mark(bits: bits)
                if isOld ? bits != 0 : mark.isPlausible(from: text, to: start + place) {
                    self.records += 1
                    self.highestRank = max(self.highestRank, isOld ? RecoveredRecords.oldRank(bits) : mark.rank)
                    text = mark.end
                    missing = 0
                } else {
                    missing += 1
                    guard !isOld, missing < RecoveredRecords.mostMissing else { return }
                }
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
