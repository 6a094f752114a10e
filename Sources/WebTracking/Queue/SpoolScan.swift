// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
struct SpoolScan: Sendable {
    /// By folder: the files that are beyond the bound.
    private(set) var victims: [String: Set<String>] = [:]
    /// The ranks of this producer's own batches that have to go before more of the files.
    private(set) var ownVictims: [Int] = []

    /// Looks at these folders, the oldest first, for what is beyond the bound together with what the store holds. `own`
    /// are the store's batches that wait, which go as the others do.
    init(_ folders: [String], store: SpoolStore, own: () -> [EvictionPolicy.Candidate]) {
        var files = folders.flatMap { folder in
            SpoolFolder.unorderedFiles(in: folder).map { (folder: folder, path: $0) }
        }
        // A check whether a folder has an owner takes its lock for a moment, and others then find it locked.
        guard files.reduce(0, { $0 + Self.size(of: $1.path) }) > store.maximumBytes else { return }
        let left = Set(folders.filter { SpoolFolder.isLeft($0, access: store.access) })
        files.removeAll { !left.contains($0.folder) }
        // Files that are kept for new records go before any record.
        let room = store.maximumBytes - store.heldBytes
        var found: [(folder: String, path: String)] = []
        var candidates: [EvictionPolicy.Candidate] = []
        for (folder, rows) in Self.groups(files) {
            var batches: [(path: String, batch: (order: UInt64, rank: Int, bytes: Int))] = []
            for path in rows {
                guard let summary = Self.summary(at: path, of: store) else { continue }
                switch summary.kind {
                // What the dead had ready goes before any record: after a crash loop in an outage it would be most of it.
                case .empty: self.victims[folder, default: []].insert(path)
                case .holding(let header) where header.destination == store.destination:
                    batches.append((path, (header.order, summary.highestRank, summary.bytes)))
                default: break
                }
            }
            for (path, batch) in batches.sorted(by: { $0.batch.order < $1.batch.order }) {
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

    /// What a file's header and marks say; `nil` if it cannot be read now.
    private static func summary(at path: String, of store: SpoolStore) -> SpoolFileSummary? {
        try? SpoolFileSummary(path, access: store.access) { $0.destination == store.destination }
    }
}
