// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB
import GRDBSQLite

/// Everything that is written goes through here, so that no failure stays unknown.
struct StoreTransactions: Sendable {
    let database: any DatabaseWriter
    /// The file; `nil` in memory.
    let path: String?
    let health = StoreHealth()

    /// Runs one transaction. Throws a ``StoreFailure`` if the database refuses it; then nothing of it is kept.
    func run<Result: Sendable>(_ body: @escaping @Sendable (Database) throws -> Result) async throws -> Result {
        do {
            return try await self.database.writeWithoutTransaction { [path] database in
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
    }
}
