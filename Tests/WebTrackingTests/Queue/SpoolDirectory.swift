// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTracking
import WebTrackingPlatform
import WebTrackingTestKit

@testable import WebTracking

/// A spool directory of one test, removed with it.
final class SpoolDirectory: Sendable {
    let path: String

    init() {
        let number = UInt64.random(in: 0...UInt64.max)
        self.path = "/tmp/webtracking-spool-\(String(number, radix: 16))"
    }

    deinit {
        Self.remove(self.path)
    }

    /// Removes the directory with all that is in it.
    func removeAll() { Self.remove(self.path) }

    private static func remove(_ path: String) {
        chmod(path, 0o700)
        for name in (try? FileSystem.names(in: path)) ?? [] {
            let child = "\(path)/\(name)"
            if unlink(child) != 0 { Self.remove(child) }
        }
        rmdir(path)
    }

    /// The spool files of all producers, the oldest first.
    var files: [String] {
        let spoolFolders = ((try? FileSystem.names(in: self.path)) ?? []).filter { $0.hasPrefix(SpoolFolder.prefix) }
        return spoolFolders.flatMap { spoolFolder in
            ((try? FileSystem.names(in: "\(self.path)/\(spoolFolder)")) ?? []).filter { $0.hasSuffix(".seg") }
                .map { "\(self.path)/\(spoolFolder)/\($0)" }
        }
    }

    /// The files that hold records.
    var holding: [String] { self.files.filter { self.isHolding($0) } }

    private func isHolding(_ path: String) -> Bool {
        if case .holding = self.contents(of: path).withUnsafeBytes({ SpoolFormat.read($0) }) { true } else { false }
    }

    /// The names of what was quarantined.
    var damaged: [String] { (try? FileSystem.names(in: "\(self.path)/damaged")) ?? [] }

    func contents(of path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes[..<count])
    }

    func overwrite(_ path: String, with bytes: [UInt8]) {
        guard let file = fopen(path, "w") else { return }
        defer { fclose(file) }
        fwrite(bytes, 1, bytes.count, file)
    }
}

extension SpoolStore {
    var syncs: Int { self.synced.load(ordering: .relaxed) }
}

extension SpoolMaintenance {
    /// The producer's own folder, if there is one.
    var folder: String? { self.store.state.withLock { $0.spoolFolder?.path } }
    var syncs: Int { self.store.syncs }
    /// Makes, removes and maintains files.
    var fileWorker: SpoolWorker { self.store.worker }
    /// Reads the files of earlier processes.
    var recoveryWorker: SpoolWorker { self.recovery.worker }
}
