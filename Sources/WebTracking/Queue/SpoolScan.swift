// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Looks at what dead producers have left in a spool directory, and finds what exceeds the bound.
///
/// While nothing does, sizes are enough. Otherwise it also reads headers, to skip what is for another logstore or in a
/// newer format, and marks, for the severity of batches. It changes nothing.
struct SpoolScan: Sendable {
    /// The files to drop, by folder.
    private(set) var victims: [String: Set<String>] = [:]
    /// The ranks of this producer's own batches that are less severe or older than some of the files, and so go first.
    private(set) var ownVictims: [Int] = []

    /// Looks at these folders, the oldest first. Counts what they have together with what the store holds. `own`
    /// returns the store's waiting batches, which can be evicted like the others.
    init(_ folders: [String], store: SpoolStore, own: () -> [EvictionPolicy.Candidate]) {
        var files = folders.flatMap { folder in
            SpoolFolder.unorderedFiles(in: folder).map { (folder: folder, path: $0) }
        }
        // To check whether a folder has an owner, `isLeft` takes its lock for a moment, and others then find it locked.
        // So only if needed.
        guard files.reduce(0, { $0 + Self.size(of: $1.path) }) > store.maximumBytes else { return }
        let left = Set(folders.filter { SpoolFolder.isLeft($0, access: store.access) })
        files.removeAll { !left.contains($0.folder) }
        // Files that are ready for new records do not count: they are dropped before any record.
        let room = store.maximumBytes - store.heldBytes
        var found: [(folder: String, path: String)] = []
        var candidates: [EvictionPolicy.Candidate] = []
        for (folder, rows) in Self.groups(files) {
            var batches: [(path: String, batch: (order: UInt64, rank: Int, bytes: Int))] = []
            for path in rows {
                guard let summary = Self.summary(at: path, of: store) else { continue }
                switch summary.kind {
                // Drop the dead producers' ready files before any record: after a crash loop in an outage they would be
                // most of the bytes.
                case .empty: self.victims[folder, default: []].insert(path)
                case .holding(let header) where header.label.destination == store.destination:
                    batches.append((path, (header.label.order, summary.highestRank, summary.bytes)))
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

    /// The paths by folder, in the order of the folders.
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

    /// What a file's header and marks say; `nil` if it cannot be read at the moment.
    private static func summary(at path: String, of store: SpoolStore) -> SpoolFileSummary? {
        try? SpoolFileSummary(path, access: store.access) { $0.label.destination == store.destination }
    }
}
