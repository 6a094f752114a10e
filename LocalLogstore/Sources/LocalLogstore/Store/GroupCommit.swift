// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization

/// Puts requests that wait at the same time into one transaction.
///
/// A commit costs the same for one request as for fifty. The first request is written at once. A request that comes
/// while a transaction runs waits for the next one. A call returns only after its data is committed.
actor GroupCommit {
    private struct Waiting {
        var row: RequestRow
        var continuation: CheckedContinuation<Void, any Error>
    }

    /// More deliveries than this do not wait: a database that refuses them must not fill the memory. The newest are lost.
    private static let maximumNotes = 10_000

    /// More logs than this are not put into one transaction, to bound how long the first of them waits.
    private static let maximumLogs = 50_000

    private let transactions: StoreTransactions
    private let inserter: SharedInserter
    private let onCommit: @Sendable () -> Void
    private var waiting: [Waiting] = []
    private var notes: [Delivery] = []
    /// How many deliveries were noted and tried to write, and the callers that wait until so many are.
    private var noted = 0
    private var tried = 0
    private var settling: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    private var isWriting = false

    /// - Parameter onCommit: Is called after every transaction.
    init(_ transactions: StoreTransactions, options: StoreOptions, onCommit: @escaping @Sendable () -> Void) {
        self.transactions = transactions
        self.inserter = SharedInserter(options)
        self.onCommit = onCommit
    }

    /// Returns when the request is committed. Throws a ``StoreFailure``, or a ``ServiceError`` if it was not to be stored;
    /// then nothing of it is kept.
    func append(_ row: RequestRow) async throws {
        try await withCheckedThrowingContinuation { continuation in
            self.waiting.append(Waiting(row: row, continuation: continuation))
            self.start()
        }
    }

    /// Writes a delivery with the next transaction. Does not wait for it; where that fails, the one after it has it.
    func note(_ delivery: Delivery) {
        guard self.notes.count < Self.maximumNotes else { return }
        self.notes.append(delivery)
        self.noted += 1
        self.start()
    }

    /// Returns when the deliveries that were noted until now are written, or could not be. Later ones do not delay it.
    func settle() async {
        guard self.tried < self.noted else { return }
        await withCheckedContinuation { self.settling.append((self.noted, $0)) }
    }

    /// Has the next transaction learn anew what the database holds. To be called within one.
    nonisolated func forget() { self.inserter.forget() }

    private func start() {
        guard !self.isWriting else { return }
        self.isWriting = true
        Task { await self.writeAll() }
    }

    private func writeAll() async {
        var canNote = true
        while !self.waiting.isEmpty || (canNote && !self.notes.isEmpty) {
            canNote = await self.writeNotes()
            let group = self.nextGroup()
            if group.isEmpty { continue }
            let rows = group.map(\.row)
            let result: Result<[ServiceError?], any Error>
            do {
                let inserter = self.inserter
                let refusals = try await self.transactions.run { try inserter.insert(rows, into: $0) }
                result = .success(refusals)
                // Only logs show it: a delivery may find the room that they do not, and a refusal needs none.
                if refusals.contains(nil) {
                    self.transactions.health.worked()
                    self.onCommit()
                }
            } catch {
                // What was counted on is not in the database.
                self.inserter.forget()
                self.transactions.health.refused(group.count)
                result = .failure(error)
            }
            for (index, waiting) in group.enumerated() {
                waiting.continuation.resume(
                    with: Result { if let refusal = try result.get()[index] { throw refusal } }
                )
            }
        }
        self.isWriting = false
        // Those that came while others could not be written wait for the next time, and nobody waits for them.
        self.endSettling(upTo: self.noted)
    }

    /// Whether the deliveries are written; if not, they wait for the next time.
    private func writeNotes() async -> Bool {
        guard !self.notes.isEmpty else { return true }
        let notes = self.notes
        let noted = self.noted
        self.notes = []
        var isWritten = true
        do {
            try await self.transactions.run { database in
                for note in notes { try note.insert(into: database) }
            }
        } catch {
            // What it is, the store's health knows.
            self.notes = Array((notes + self.notes).prefix(Self.maximumNotes))
            isWritten = false
        }
        self.endSettling(upTo: noted)
        return isWritten
    }

    /// Lets those go on who wait for so many deliveries.
    private func endSettling(upTo count: Int) {
        self.tried = count
        for waiting in self.settling where waiting.count <= count { waiting.continuation.resume() }
        self.settling.removeAll { $0.count <= count }
    }

    private func nextGroup() -> [Waiting] {
        var logs = 0
        var count = 0
        for waiting in self.waiting {
            logs += waiting.row.logs.count
            if count > 0, logs > Self.maximumLogs { break }
            count += 1
        }
        defer { self.waiting.removeFirst(count) }
        return Array(self.waiting.prefix(count))
    }
}

/// The inserter between transactions.
private final class SharedInserter: Sendable {
    private let inserter = Mutex<LogInserter?>(nil)
    private let logsPerTable: Int64

    init(_ options: StoreOptions) {
        self.logsPerTable = options.logsPerTable
    }

    func insert(_ rows: [RequestRow], into database: Database) throws -> [ServiceError?] {
        try self.inserter.withLock { inserter in
            var current = try inserter ?? LogInserter(continuing: database, logsPerTable: self.logsPerTable)
            // Held in one place only, or every change would copy it.
            inserter = nil
            let refusals = try current.insert(rows, into: database)
            inserter = current
            return refusals
        }
    }

    func forget() { self.inserter.withLock { $0 = nil } }
}
