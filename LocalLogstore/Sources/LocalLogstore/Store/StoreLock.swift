// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Keeps a second writer off a file: what one has learnt of it, the other would not know.
///
/// The lock is the kernel's, on a file beside the database, so that it ends with the process however that ends. It is
/// not on the database itself, whose own locks a process loses when it closes any descriptor of it.
final class StoreLock: Sendable {
    private let descriptor: Mutex<Int32?>
    private let path: String

    /// Throws a ``StoreError`` if another process holds the lock of this database.
    init(of database: String) throws {
        // By another name it is the same file.
        self.path = URL(fileURLWithPath: database).resolvingSymlinksInPath().path + ".lock"
        while true {
            let descriptor = open(self.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw StoreError.cannotLock(self.path, String(cString: strerror(errno))) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                _ = Foundation.close(descriptor)
                throw StoreError.inUse(database)
            }
            // Whoever held it may have removed the file meanwhile; then others would lock a new one.
            var own = stat()
            var present = stat()
            if fstat(descriptor, &own) == 0, stat(self.path, &present) == 0, own.st_ino == present.st_ino,
                own.st_dev == present.st_dev
            {
                self.descriptor = Mutex(descriptor)
                return
            }
            _ = Foundation.close(descriptor)
        }
    }

    deinit { self.release() }

    /// Ends the lock and removes its file.
    func release() {
        self.descriptor.withLock { descriptor in
            guard let held = descriptor else { return }
            // In this order: only the process that holds the lock may remove it.
            unlink(self.path)
            _ = Foundation.close(held)
            descriptor = nil
        }
    }
}
