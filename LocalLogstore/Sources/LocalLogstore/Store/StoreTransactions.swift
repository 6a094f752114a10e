// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB
import GRDBSQLite

/// Everything that is written goes through here, so that no failure stays unknown.
struct StoreTransactions: Sendable {
    let database: any DatabaseWriter
    /// The file; `nil` in memory.
    let path: String?
    /// `nil` where there is nothing to be removed.
    let files: StoreFiles?
    let health = StoreHealth()

    /// Looks whether the database's files are still there. Throws a ``StoreFailure`` if not, from then on.
    func checkFiles() throws(StoreFailure) {
        if let failure = self.health.trouble?.failure, failure.reason == .removed { throw failure }
        guard let removed = self.files?.removed else { return }
        let failure = StoreFailure(reason: .removed, path: self.path, message: removed)
        self.health.failed(failure)
        throw failure
    }

    /// Runs one transaction. Throws a ``StoreFailure`` if the database refuses it; then nothing of it is kept.
    func run<Result: Sendable>(_ body: @escaping @Sendable (Database) throws -> Result) async throws -> Result {
        try self.checkFiles()
        let result: Result
        do {
            result = try await self.database.writeWithoutTransaction { [path] database in
                do {
                    var result: Result?
                    try database.inTransaction {
                        result = try body(database)
                        return .commit
                    }
                    return result!
                } catch let error as DatabaseError {
                    // Of this connection, so it has to be asked here.
                    let systemError = sqlite3_system_errno(database.sqliteConnection)
                    throw StoreFailure(error, systemError: systemError, path: path)
                }
            }
        } catch let failure as StoreFailure {
            self.health.failed(failure)
            throw failure
        }
        // It may have gone to a file that was removed meanwhile.
        try self.checkFiles()
        return result
    }
}
