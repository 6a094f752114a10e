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

/// What dead producers have left in a spool directory, as far as it takes to say what of it is too much.
///
/// Sizes are enough while there is not too much. Only otherwise are headers read, to leave alone what is another
/// logstore's or a newer version's, and marks, to know how severe a batch is. Nothing is changed.
struct SpoolSurvey: Sendable {
    /// By folder: the files that are beyond the bound.
    private(set) var victims: [String: Set<String>] = [:]
    /// The ranks of this producer's own batches that have to go before more of the files.
    private(set) var ownVictims: [Int] = []

    /// Looks at these folders, the oldest first, for what is beyond the bound together with what the store holds. `own`
    /// are the store's batches that wait, which go as the others do.
    init(_ folders: [String], store: SpoolStore, own: () -> [EvictionPolicy.Candidate]) {
        var files = folders.flatMap { folder in
            SpoolBox.unorderedFiles(in: folder).map { (folder: folder, path: $0) }
        }
        // To see whether a folder has an owner means to take its lock for a moment, in the way of whoever wants it.
        guard files.reduce(0, { $0 + Self.size(of: $1.path) }) > store.maximumBytes else { return }
        let left = Set(folders.filter { SpoolBox.isLeft($0) })
        files.removeAll { !left.contains($0.folder) }
        // Files that are kept for new records go before any record.
        let room = store.maximumBytes - store.heldBytes
        var found: [(folder: String, path: String)] = []
        var candidates: [EvictionPolicy.Candidate] = []
        for (folder, rows) in Self.groups(files) {
            let batches = rows.compactMap { path in Self.batch(path, destination: store.destination).map { (path, $0) }
            }
            for (path, batch) in batches.sorted(by: { $0.1.order < $1.1.order }) {
                found.append((folder, path))
                candidates.append(.init(rank: batch.rank, age: .min + Int64(candidates.count), bytes: batch.bytes))
            }
        }
        let excess = candidates.reduce(0) { $0 + $1.bytes } - room
        candidates += own()
        for index in EvictionPolicy.victims(of: candidates, excess: excess) {
            if index < found.count {
                self.victims[found[index].folder, default: []].insert(found[index].path)
            } else {
                self.ownVictims.append(candidates[index].rank)
            }
        }
    }

    /// The paths by folder, the folders in their order.
    private static func groups(_ files: [(folder: String, path: String)]) -> [(folder: String, paths: [String])] {
        files.reduce(into: []) { groups, file in
            if groups.last?.folder == file.folder {
                groups[groups.count - 1].paths.append(file.path)
            } else {
                groups.append((file.folder, [file.path]))
            }
        }
    }

    private static func size(of path: String) -> Int {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return 0 }
        return Int(status.st_size)
    }

    /// The place, the size and the most severe rank of the batch in a file, as its header and its marks say; `nil` if it
    /// has none for this destination, or cannot be read now.
    private static func batch(_ path: String, destination: String) -> (order: UInt64, rank: Int, bytes: Int)? {
        guard let descriptor = try? FileSystem.open(path, flags: O_RDONLY | O_NONBLOCK) else { return nil }
        defer { close(descriptor) }
        guard let bytes = try? FileSystem.size(descriptor, path: path) else { return nil }
        let page = Self.read(descriptor, SpoolFormat.headerBytes, at: 0)
        guard case .holding(let header) = page.withUnsafeBytes({ SpoolFormat.read($0) }),
            header.destination == destination
        else { return nil }
        return (header.order, Self.highestRank(descriptor, end: SpoolFormat.headerBytes + header.capacity), bytes)
    }

    /// The rank of the most severe record whose mark is before `end`, the first one's being the last.
    private static func highestRank(_ descriptor: CInt, end: Int) -> Int {
        var highest = 0
        var end = end
        while end > SpoolFormat.headerBytes, highest < 6 {
            let start = max(end - 32 << 10, SpoolFormat.headerBytes)
            let marks = Self.read(descriptor, end - start, at: start)
            for place in stride(from: marks.count - Mark.size, through: 0, by: -Mark.size) {
                let bits = marks.withUnsafeBytes {
                    UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                }
                guard bits != 0 else { return highest }
                highest = max(highest, Mark(bits: bits).rank)
            }
            guard !marks.isEmpty else { return highest }
            end = start
        }
        return highest
    }

    /// So many bytes of a file; none if there are not so many.
    private static func read(_ descriptor: CInt, _ count: Int, at offset: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        return pread(descriptor, &bytes, count, off_t(offset)) == count ? bytes : []
    }
}
