//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import GRDB

/// Puts requests that wait at the same time into one transaction.
///
/// A commit costs the same for one request as for fifty. Whoever comes first writes at once; who comes while a
/// transaction runs waits for the next. Nobody returns before the own data is committed.
actor GroupCommit {
    private struct Waiting {
        var row: RequestRow
        var continuation: CheckedContinuation<Void, any Error>
    }

    /// More logs than this are not put into one transaction, to bound how long the first of them waits.
    private static let maximumLogs = 50_000

    private let writer: any DatabaseWriter
    private var waiting: [Waiting] = []
    private var isWriting = false

    init(_ writer: any DatabaseWriter) {
        self.writer = writer
    }

    /// Returns when the request is committed, or throws the database's error; then nothing of it is kept.
    func append(_ row: RequestRow) async throws {
        try await withCheckedThrowingContinuation { continuation in
            self.waiting.append(Waiting(row: row, continuation: continuation))
            if !self.isWriting {
                self.isWriting = true
                Task { await self.writeAll() }
            }
        }
    }

    private func writeAll() async {
        while !self.waiting.isEmpty {
            let group = self.nextGroup()
            let rows = group.map(\.row)
            let result: Result<Void, any Error>
            do {
                try await self.writer.write { database in
                    for row in rows { try row.insert(into: database) }
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            for waiting in group { waiting.continuation.resume(with: result) }
        }
        self.isWriting = false
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
