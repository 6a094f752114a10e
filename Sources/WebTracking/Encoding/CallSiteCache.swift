//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// The code location of log statements as ready JSON members, kept for each thread.
///
/// A statement's module, file, function and line are the same every time; looking them up and copying them is
/// less work than finding the module and escaping three strings. The texts of a statement are compared, not their addresses, which a
/// freed string can leave to another one.
///
/// Invariant: `entries` owns ``slots`` entries, each of which owns its `text`. The type is not copyable, so the memory has
/// one owner.
struct CallSiteCache: ~Copyable {
    private static let slots = 64
    /// A longer text is not kept.
    private static let longestText = 512

    private struct Entry {
        var encoder: UInt64
        var line: UInt
        var fileCount: Int
        var functionCount: Int
        var memberCount: Int
        /// The file, the function, then the members.
        var text: UnsafeMutableRawPointer
    }

    private let entries: UnsafeMutablePointer<Entry?>

    init() {
        self.entries = .allocate(capacity: Self.slots)
        self.entries.initialize(repeating: nil, count: Self.slots)
    }

    deinit {
        for slot in 0..<Self.slots { self.entries[slot]?.text.deallocate() }
        self.entries.deinitialize(count: Self.slots)
        self.entries.deallocate()
    }

    /// Appends the members kept for a statement; `false` if there are none.
    @inline(__always)
    borrowing func append(
        file: String,
        function: String,
        line: UInt,
        encoder: UInt64,
        to writer: inout ByteWriter
    ) -> Bool {
        file.withBytes { file in
            function.withBytes { function in
                guard let entry = self.entries[Self.slot(file, function, line)],
                    entry.line == line, entry.encoder == encoder,
                    entry.fileCount == file.count, entry.functionCount == function.count,
                    Self.isEqual(file, entry.text),
                    Self.isEqual(function, entry.text + entry.fileCount)
                else { return false }
                writer.append(
                    UnsafeRawBufferPointer(
                        start: entry.text + entry.fileCount + entry.functionCount,
                        count: entry.memberCount
                    )
                )
                return true
            }
        }
    }

    /// Keeps the members of a statement, in place of those that had its slot.
    mutating func keep(
        _ members: UnsafeRawBufferPointer,
        file: String,
        function: String,
        line: UInt,
        encoder: UInt64
    ) {
        file.withBytes { file in
            function.withBytes { function in
                let count = file.count + function.count + members.count
                guard count <= Self.longestText else { return }
                let text = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 8)
                var end = text
                for part in [file, function, members] {
                    guard let start = part.baseAddress else { continue }
                    end.copyMemory(from: start, byteCount: part.count)
                    end += part.count
                }
                let slot = Self.slot(file, function, line)
                self.entries[slot]?.text.deallocate()
                self.entries[slot] = Entry(
                    encoder: encoder,
                    line: line,
                    fileCount: file.count,
                    functionCount: function.count,
                    memberCount: members.count,
                    text: text
                )
            }
        }
    }

    @inline(__always)
    private static func slot(_ file: UnsafeRawBufferPointer, _ function: UnsafeRawBufferPointer, _ line: UInt) -> Int {
        let mix = line &* 31 &+ UInt(bitPattern: file.count) &* 7 &+ UInt(bitPattern: function.count)
        return Int(bitPattern: (mix &* 0x9E37_79B9) &>> 16) & (Self.slots - 1)
    }

    @inline(__always)
    private static func isEqual(_ bytes: UnsafeRawBufferPointer, _ kept: UnsafeMutableRawPointer) -> Bool {
        var position = 0
        while position &+ 8 <= bytes.count {
            if bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                != kept.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            {
                return false
            }
            position &+= 8
        }
        let rest = bytes.count &- position
        guard rest > 0, let start = bytes.baseAddress else { return true }
        return ShortLoad.word(start + position, count: rest)
            == ShortLoad.word(UnsafeRawPointer(kept + position), count: rest)
    }
}
