// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation
import GRDB

/// The logs a local endpoint has accepted, in an SQLite file or in memory.
///
/// A file is in WAL mode: other processes can read while the endpoint writes, and what was committed survives a crash of
/// the process. Methods throw the database's errors.
public final class LogStore: Sendable {
    let database: any DatabaseWriter
    let transactions: StoreTransactions
    let writer: GroupCommit
    /// Wakes readers that follow the logs when there are new ones.
    let commits = CommitSignal()
    /// The file; `nil` in memory.
    public let path: String?
    let options: StoreOptions
    private let lock: StoreLock?

    /// Opens the file at `path`, which is created if there is none, for its owner alone.
    ///
    /// Throws a ``StoreError`` if another store, here or in another process, writes to it, if there is something else in
    /// it, or if it cannot be opened.
    public convenience init(path: String) throws {
        try self.init(path: path, options: StoreOptions())
    }

    convenience init(path: String, options: StoreOptions) throws {
        let lock = try StoreLock(of: path)
        do {
            let pool = try Self.named(path) {
                try Self.check(path)
                try Self.create(path)
                let pool = try DatabasePool(path: path, configuration: Self.configuration())
                try StoreSchema.prepare(pool)
                return pool
            }
            self.init(pool, path: path, lock: lock, files: StoreFiles(of: path), options: options)
        } catch {
            lock.release()
            throw error
        }
    }

    /// Has the database's errors name the file.
    private static func named<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_NOTADB {
            throw StoreError.noDatabase(path)
        } catch let error as DatabaseError {
            throw StoreError.cannotOpen(path, error.message ?? "\(error)")
        }
    }

    /// Makes the file if there is none, for its owner alone: logs are for nobody else. SQLite gives the files beside it
    /// the same mode.
    private static func create(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            _ = Foundation.close(descriptor)
        } else if errno != EEXIST {
            throw StoreError.cannotOpen(path, String(cString: strerror(errno)))
        }
    }

    /// Throws a ``StoreError`` if there is something else in the file, which a connection that may write would change.
    private static func check(_ path: String) throws {
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int, size > 0 else {
            return
        }
        try Self.read(path) { database in
            if try !StoreSchema.isEmpty(database) { try StoreSchema.check(database, path: path) }
        }.close()
    }

    /// An empty store in memory.
    public convenience init() throws {
        let queue = try DatabaseQueue(configuration: Self.configuration())
        try StoreSchema.prepare(queue)
        self.init(queue, path: nil)
    }

    /// Opens an existing file for reading only. Throws a ``StoreError`` if it is of another version.
    public convenience init(readingFrom path: String) throws {
        self.init(try Self.read(path) { try StoreSchema.check($0, path: path) }, path: path)
    }

    /// Opens a file for reading only, and calls `check`.
    private static func read(_ path: String, _ check: (Database) throws -> Void) throws -> DatabaseQueue {
        try Self.named(path) {
            let queue = try DatabaseQueue(path: path, configuration: Self.configuration(readonly: true))
            try queue.read(check)
            return queue
        }
    }

    private init(
        _ database: any DatabaseWriter,
        path: String?,
        lock: StoreLock? = nil,
        files: StoreFiles? = nil,
        options: StoreOptions = StoreOptions()
    ) {
        self.database = database
        self.path = path
        self.lock = lock
        self.options = options
        self.transactions = StoreTransactions(database: database, path: path, files: files)
        let commits = self.commits
        self.writer = GroupCommit(self.transactions, options: options) { commits.send() }
    }

    /// Why it takes no logs at present; `nil` if it does.
    public var trouble: StoreTrouble? {
        try? self.transactions.checkFiles()
        return self.transactions.health.trouble
    }

    private static func configuration(readonly: Bool = false) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readonly
        // Another process may hold the lock for the length of a checkpoint.
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 8
        configuration.prepareDatabase { database in
            SearchFunctions.add(to: database)
            database.add(function: PercentileFunction.function)
            // Pages that were read once are read from memory afterwards; the system shares them between connections.
            try database.execute(sql: "PRAGMA mmap_size = 4294967296; PRAGMA cache_size = -16000")
            // Fewer, longer checkpoints: pages that change often are then copied once.
            if !readonly { try database.execute(sql: "PRAGMA wal_autocheckpoint = 8000") }
        }
        return configuration
    }

    // MARK: - Writing

    /// Stores one request; returns once it is committed. Throws a ``StoreFailure`` if the database refuses it, and a
    /// ``ServiceError`` if its sequence id does.
    func append(_ request: StoredRequest, logs: [LogFields], write: IdempotentWrite? = nil) async throws {
        try await self.writer.append(RequestRow(request: request, logs: logs, write: write))
    }

    /// Stores one group of logs; returns once it is committed. Throws a ``StoreFailure`` if the database refuses it, and a
    /// ``ServiceError`` if its sequence id does.
    ///
    /// - Parameters:
    ///   - group: What to store.
    ///   - project: The project and
    ///   - logstore: the logstore it belongs to.
    ///   - receivedAt: When it came.
    ///   - compression: How it was sent.
    ///   - rawBytes: Its size before compression.
    ///   - wireBytes: Its size as sent.
    ///   - write: What has it stored once; `nil` for each time that it comes.
    public func append(
        _ group: LogGroup,
        project: String,
        logstore: String,
        receivedAt: Date = Date(),
        compression: Compression = .none,
        rawBytes: Int = 0,
        wireBytes: Int = 0,
        write: IdempotentWrite? = nil
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
        try await self.append(request, logs: group.logs, write: write)
    }

    /// Closes the file, which holds everything then: no write-ahead log is left beside it, unless another process reads.
    /// Waits for its readers. The store cannot be used afterwards.
    public func close() throws {
        // Only the last connection to be closed takes the log in, and only if it may write. The pool closes the one that
        // may first.
        if let pool = self.database as? DatabasePool {
            try? pool.barrierWriteWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            pool.invalidateReadOnlyConnections()
        }
        try self.database.close()
        self.lock?.release()
    }
}

/// Why a file cannot be read.
public enum StoreError: Error, Sendable, CustomStringConvertible {
    /// It was made by another version, which keeps logs otherwise.
    case otherVersion(String)
    /// It is a database of something else.
    case foreign(String)
    /// It is no database.
    case noDatabase(String)
    /// Another endpoint writes to it.
    case inUse(String)
    /// The file of its lock cannot be made.
    case cannotLock(String, String)
    /// It cannot be opened or made.
    case cannotOpen(String, String)

    public var description: String {
        switch self {
        case .cannotLock(let path, let reason):
            "cannot write \(path), which keeps a second endpoint off the database: \(reason)"
        case .cannotOpen(let path, let reason):
            "cannot open the database \(path): \(reason)"
        case .inUse(let path):
            "\(path) is in use by another \"webtracking serve\"; stop that, or choose another file with --database"
        case .otherVersion(let path):
            "\(path) holds logs of another version of webtracking, which this one cannot read; choose another file with "
                + "--database, or move this one away. \"webtracking query\" of that version still reads it"
        case .foreign(let path):
            "\(path) is a database of another program; choose another file with --database"
        case .noDatabase(let path):
            "\(path) is no database; choose another file with --database"
        }
    }
}
