// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The files of a database as they were when it was opened: what is written to a file without a name is lost.
struct StoreFiles: Sendable {
    private struct Identity: Equatable {
        var device: UInt64
        var number: UInt64

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            self.device = UInt64(truncatingIfNeeded: status.st_dev)
            self.number = UInt64(status.st_ino)
        }
    }

    private let files: [(path: String, identity: Identity)]

    /// To be called when the database is in use, and so has all of its files.
    init(of path: String) {
        self.files = ["", "-wal", "-shm"].compactMap { ending in
            Identity(path + ending).map { (path + ending, $0) }
        }
    }

    /// The first of them that is removed, or another file by now.
    var removed: String? { self.files.first { Identity($0.path) != $0.identity }?.path }
}
