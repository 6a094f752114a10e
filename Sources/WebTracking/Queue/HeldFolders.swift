// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// The folders that a producer has locked, so that a simulated death can release their locks, as the kernel would.
final class HeldFolders: Sendable {
    private struct Entry {
        weak var spoolFolder: SpoolFolder?
    }

    private let entries = Lock<[Entry]>([])

    func note(_ spoolFolder: SpoolFolder) {
        self.entries.withLock { entries in
            entries.removeAll { $0.spoolFolder == nil }
            entries.append(Entry(spoolFolder: spoolFolder))
        }
    }

    /// The folders that are still held.
    var spoolFolders: [SpoolFolder] { self.entries.withLock { $0.compactMap(\.spoolFolder) } }

    /// Releases all locks, and leaves all files as they are. Returns the folders' paths.
    func unlock() -> [String] {
        let spoolFolders = self.entries.withLock { $0.compactMap(\.spoolFolder) }
        for spoolFolder in spoolFolders { spoolFolder.unlock() }
        return spoolFolders.map(\.path)
    }
}
