// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB
import GRDBSQLite

/// A statement of SQLite without the conveniences that would cost more than the statement itself.
///
/// Texts and blobs go in and out with their length, so that a NUL in them is a character like others. To be used inside
/// one access to the database only.
struct RawStatement {
    private let statement: Statement
    private let pointer: SQLiteStatement
    private let database: Database

    /// A statement that the connection keeps for the next time.
    init(_ sql: String, in database: Database) throws {
        self.statement = try database.cachedStatement(sql: sql)
        self.pointer = self.statement.sqliteStatement
        self.database = database
        sqlite3_reset(self.pointer)
        sqlite3_clear_bindings(self.pointer)
    }

    /// A statement for this time only, as its text is about one search.
    init(_ condition: Condition, in database: Database) throws {
        self.statement = try database.makeStatement(sql: condition.sql)
        self.pointer = self.statement.sqliteStatement
        self.database = database
        for (index, argument) in condition.arguments.enumerated() {
            switch argument {
            case .int(let value): self.bind(Int32(index + 1), value)
            case .real(let value): sqlite3_bind_double(self.pointer, Int32(index + 1), value)
            case .text(let value): self.bind(Int32(index + 1), text: value)
            case .blob(let value):
                sqlite3_bind_blob(self.pointer, Int32(index + 1), value, Int32(value.count), Self.copies)
            }
        }
    }

    // MARK: - Arguments, counted from 1

    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(self.pointer, index, value) }

    /// The bytes have to stay where they are until the statement has run.
    func bind(_ index: Int32, text: UnsafeBufferPointer<UInt8>) {
        let base = UnsafeRawPointer(text.baseAddress)?.assumingMemoryBound(to: CChar.self)
        guard let base else {
            sqlite3_bind_text(self.pointer, index, "", 0, Self.copies)
            return
        }
        sqlite3_bind_text(self.pointer, index, base, Int32(text.count), nil)
    }

    func bind(_ index: Int32, text: String) {
        var text = text
        text.withUTF8 { bytes in
            guard let base = UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self) else {
                sqlite3_bind_text(self.pointer, index, "", 0, Self.copies)
                return
            }
            sqlite3_bind_text(self.pointer, index, base, Int32(bytes.count), Self.copies)
        }
    }

    func bind(_ index: Int32, text: String?) {
        if let text { self.bind(index, text: text) } else { sqlite3_bind_null(self.pointer, index) }
    }

    /// SQLITE_TRANSIENT, which Swift does not import.
    static var copies: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    // MARK: - Running

    /// Runs a statement that has no rows.
    func run() throws {
        while try self.step() {}
        sqlite3_reset(self.pointer)
    }

    /// Goes to the next row; `false` behind the last.
    func step() throws -> Bool {
        switch sqlite3_step(self.pointer) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(self.database.sqliteConnection)),
                message: self.database.lastErrorMessage
            )
            sqlite3_reset(self.pointer)
            throw error
        }
    }

    /// Has to be called when a reader stops before the last row.
    func reset() { sqlite3_reset(self.pointer) }

    // MARK: - Columns, counted from 0

    func int(_ column: Int32) -> Int64 { sqlite3_column_int64(self.pointer, column) }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(self.pointer, column) == SQLITE_NULL }

    /// Whatever it is; `nil` for NULL.
    func value(_ column: Int32) -> SQLArgument? {
        switch sqlite3_column_type(self.pointer, column) {
        case SQLITE_INTEGER: .int(self.int(column))
        case SQLITE_FLOAT: .real(sqlite3_column_double(self.pointer, column))
        case SQLITE_TEXT: .text(self.string(column))
        case SQLITE_BLOB: .blob(Array(self.bytes(column)))
        default: nil
        }
    }

    /// A text or blob; valid until the next step.
    func bytes(_ column: Int32) -> UnsafeBufferPointer<UInt8> {
        // The pointer first: asking for it can convert the value.
        let base = sqlite3_column_blob(self.pointer, column)
        let count = Int(sqlite3_column_bytes(self.pointer, column))
        return UnsafeBufferPointer(start: base?.assumingMemoryBound(to: UInt8.self), count: base == nil ? 0 : count)
    }

    func string(_ column: Int32) -> String { String(decoding: self.bytes(column), as: UTF8.self) }

    func optionalString(_ column: Int32) -> String? { self.isNull(column) ? nil : self.string(column) }
}

/// A value for a question mark of SQL.
enum SQLArgument: Sendable {
    case int(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}
