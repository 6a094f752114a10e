// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

package import Foundation
package import LocalLogstore

/// Calls `body` with a new directory, which is removed afterwards.
package func withTemporaryDirectory<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appending(path: "local-logstore-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try await body(directory)
}

/// Calls `body` with an empty store.
package func withStore<Result>(_ body: (LogStore) async throws -> Result) async throws -> Result {
    try await withTemporaryDirectory { directory in
        let store = try LogStore(path: directory.appending(path: "logs.sqlite").path)
        let result = try await body(store)
        try store.close()
        return result
    }
}
