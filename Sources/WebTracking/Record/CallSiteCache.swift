// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The code location of log statements as ready JSON members, kept for each thread.
///
/// A statement's module, file, function and line are the same every time; looking them up and copying them is less work
/// than finding the module and escaping three strings. The texts of a statement are compared, not their addresses, which a
/// freed string can leave to another one. Statements that fall into one set share its four ways, and the one used longest
/// ago goes first.
///
/// Invariant: `entries` owns ``sets`` times ``ways`` entries, each of which owns its `text` of `capacity` bytes, of which
/// the first `fileCount + functionCount + memberCount` are initialised. The type is not copyable, so the memory has one owner.
struct CallSiteCache: ~Copyable {
    private static let sets = 64
    private static let ways = 4
    /// A longer text is not kept.
    private static let longestText = 1024

    private struct Entry {
        var encoder: UInt64 = 0
        var line: UInt = 0
        var fileCount = 0
        var functionCount = 0
        var memberCount = 0
        /// The file, the function, then the members.
        var text: UnsafeMutableRawPointer?
        var capacity = 0
    }

    private let entries: UnsafeMutablePointer<Entry>

    init() {
        self.entries = .allocate(capacity: Self.sets * Self.ways)
        self.entries.initialize(repeating: Entry(), count: Self.sets * Self.ways)
    }

    deinit {
        for index in 0..<Self.sets * Self.ways { self.entries[index].text?.deallocate() }
        self.entries.deinitialize(count: Self.sets * Self.ways)
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
                let set = self.entries + Self.set(file, function, line)
                for way in 0..<Self.ways {
                    guard set[way].line == line, set[way].encoder == encoder, let text = set[way].text,
                        set[way].fileCount == file.count, set[way].functionCount == function.count,
                        Self.isEqual(file, text), Self.isEqual(function, text + file.count)
                    else { continue }
                    writer.append(
                        UnsafeRawBufferPointer(start: text + file.count + function.count, count: set[way].memberCount)
                    )
                    if way > 0 { swap(&set[0], &set[way]) }
                    return true
                }
                return false
            }
        }
    }

    /// Keeps the members of a statement, in place of the last of its set.
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
                let set = self.entries + Self.set(file, function, line)
                var entry = set[Self.ways - 1]
                if entry.capacity < count {
                    entry.text?.deallocate()
                    entry.capacity = (count + 127) & ~127
                    entry.text = .allocate(byteCount: entry.capacity, alignment: 8)
                }
                guard var end = entry.text else { return }
                func put(_ part: UnsafeRawBufferPointer) {
                    guard let start = part.baseAddress else { return }
                    end.copyMemory(from: start, byteCount: part.count)
                    end += part.count
                }
                put(file)
                put(function)
                put(members)
                entry.encoder = encoder
                entry.line = line
                entry.fileCount = file.count
                entry.functionCount = function.count
                entry.memberCount = members.count
                for way in (1..<Self.ways).reversed() { set[way] = set[way - 1] }
                set[0] = entry
            }
        }
    }

    /// Where the set of a statement begins.
    @inline(__always)
    private static func set(_ file: UnsafeRawBufferPointer, _ function: UnsafeRawBufferPointer, _ line: UInt) -> Int {
        let mix = UInt64(line) ^ UInt64(file.count) &<< 32 ^ UInt64(function.count) &<< 48
        // The upper bits of this product are spread evenly, also for neighbouring lines.
        return Int((mix &* 0x9E37_79B9_7F4A_7C15) &>> 58) &* Self.ways
    }

    @inline(__always)
    private static func isEqual(_ bytes: UnsafeRawBufferPointer, _ kept: UnsafeMutableRawPointer) -> Bool {
        let count = bytes.count
        guard count > 0, let start = bytes.baseAddress else { return true }
        if count < 8 {
            return ShortLoad.word(start, count: count) == ShortLoad.word(UnsafeRawPointer(kept), count: count)
        }
        // The last word may overlap the one before it.
        let last = count &- 8
        var position = 0
        while position < last {
            if start.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                != kept.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            {
                return false
            }
            position &+= 8
        }
        return start.loadUnaligned(fromByteOffset: last, as: UInt64.self)
            == kept.loadUnaligned(fromByteOffset: last, as: UInt64.self)
    }
}
