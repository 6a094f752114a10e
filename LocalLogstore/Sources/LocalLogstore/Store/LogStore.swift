//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

public import Foundation
import GRDB

/// The logs a local endpoint has accepted, in an SQLite file or in memory.
///
/// A file is in WAL mode: other processes can read while the endpoint writes, and what was committed survives a crash of
/// the process. Methods throw the database's errors.
public final class LogStore: Sendable {
    let database: any DatabaseWriter
    let writer: GroupCommit
    /// Tells whoever follows the logs that there are new ones.
    let commits = CommitSignal()
    /// The file; `nil` in memory.
    public let path: String?

    /// Opens the file at `path`, which is created if there is none.
    public convenience init(path: String) throws {
        let pool = try DatabasePool(path: path, configuration: Self.configuration())
        try StoreSchema.migrator.migrate(pool)
        self.init(pool, path: path)
    }

    /// An empty store in memory.
    public convenience init() throws {
        let queue = try DatabaseQueue(configuration: Self.configuration())
        try StoreSchema.migrator.migrate(queue)
        self.init(queue, path: nil)
    }

    /// Opens an existing file for reading only. Throws a ``StoreError`` if it is of another version.
    public convenience init(readingFrom path: String) throws {
        let queue = try DatabaseQueue(path: path, configuration: Self.configuration(readonly: true))
        guard try queue.read(StoreSchema.migrator.hasCompletedMigrations) else { throw StoreError.otherVersion(path) }
        self.init(queue, path: path)
    }

    private init(_ database: any DatabaseWriter, path: String?) {
        self.database = database
        self.path = path
        let commits = self.commits
        self.writer = GroupCommit(database) { commits.send() }
    }

    private static func configuration(readonly: Bool = false) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readonly
        // Another process may hold the lock for the length of a checkpoint.
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 8
        configuration.prepareDatabase { database in
            // Pages that were read once are read from memory afterwards; the system shares them between connections.
            try database.execute(sql: "PRAGMA mmap_size = 4294967296; PRAGMA cache_size = -16000")
            // Fewer, longer checkpoints: pages that change often are then copied once.
            if !readonly { try database.execute(sql: "PRAGMA wal_autocheckpoint = 8000") }
        }
        return configuration
    }

    // MARK: - Writing

    /// Stores one request; returns once it is committed.
    func append(_ request: StoredRequest, logs: [LogFields]) async throws {
        try await self.writer.append(RequestRow(request: request, logs: logs))
    }

    /// Stores one group of logs; returns once it is committed.
    ///
    /// - Parameters:
    ///   - group: What to store.
    ///   - project: The project and
    ///   - logstore: the logstore it belongs to.
    ///   - receivedAt: When it came.
    ///   - compression: How it was sent.
    ///   - rawBytes: Its size before compression.
    ///   - wireBytes: Its size as sent.
    public func append(
        _ group: LogGroup,
        project: String,
        logstore: String,
        receivedAt: Date = Date(),
        compression: Compression = .none,
        rawBytes: Int = 0,
        wireBytes: Int = 0
    ) async throws {
        let request = StoredRequest(
            receivedAt: receivedAt,
            project: project,
            logstore: logstore,
            topic: group.topic,
            source: group.source,
            tags: group.tags,
            rawBytes: rawBytes,
            wireBytes: wireBytes,
            compression: compression,
            logCount: group.logs.count
        )
        try await self.append(request, logs: group.logs)
    }

    /// Closes the file. Nothing works afterwards.
    public func close() throws {
        try self.database.close()
    }
}

/// Why a file cannot be read.
public enum StoreError: Error, Sendable, CustomStringConvertible {
    /// It was not made by this version; an endpoint that opens it brings it up to date.
    case otherVersion(String)

    public var description: String {
        switch self {
        case .otherVersion(let path):
            "\(path) was made by another version; run \"webtracking serve --database \(path)\" once to update it"
        }
    }
}
