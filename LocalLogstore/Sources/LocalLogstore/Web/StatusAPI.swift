// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Hummingbird

/// `/api/status` and `/api/session`: which endpoint this is, and which clients may use it.
struct StatusAPI: Sendable {
    let store: LogStore
    let settings: ServerSettings
    let access: Access

    func add(to api: RouterGroup<TrackContext>) {
        api.get("status", use: self.status)
    }

    /// Clients that may not read yet have to sign in.
    func addSessions(to api: RouterGroup<TrackContext>) {
        api.post("session", use: self.signIn)
        api.delete("session", use: self.signOut)
    }

    private func status(_ request: Request, _: TrackContext) async throws -> Response {
        _ = try WebParameters(request)
        let trouble = self.store.trouble
        var contents = StoreContents()
        do {
            contents = try await self.store.contents()
        } catch {
            // What cannot be read, as of a file that was replaced, must not hide why.
            guard trouble != nil else { throw error }
        }
        let logstores = contents.logstores.map { logstore -> JSONValue in
            .object([
                ("project", .string(logstore.project)), ("logstore", .string(logstore.logstore)),
                ("logs", .int(logstore.logs)),
            ])
        }
        return .json(
            .object([
                ("project", .string(self.settings.project)), ("mode", .string(self.settings.mode.rawValue)),
                ("logs", .int(contents.logs)), ("bytes", .int(contents.bytes)),
                ("database", self.store.path.map { .string($0) } ?? .null), ("logstores", .array(logstores)),
                ("signedIn", .bool(self.access.needsToken)), ("trouble", Self.json(trouble)),
            ])
        )
    }

    private static func json(_ trouble: StoreTrouble?) -> JSONValue {
        guard let trouble else { return .null }
        return .object([
            ("reason", .string(trouble.failure.reason.rawValue)), ("message", .string("\(trouble.failure)")),
            ("since", .int(trouble.since.microseconds)), ("refused", .int(trouble.refused)),
        ])
    }

    private func signIn(_ request: Request, _: TrackContext) async throws -> Response {
        _ = try WebParameters(request)
        guard request.headers[.contentType]?.lowercased().hasPrefix("application/json") == true else {
            throw WebError(status: .unsupportedMediaType, message: "The content type has to be application/json.")
        }
        let body = try await request.body.collect(upTo: 4096)
        guard let value = try? JSONValue(parsing: Array(buffer: body)), case .string(let token)? = value["token"] else {
            throw WebError.badRequest("The body has to be a JSON object with a token.")
        }
        guard let session = self.access.open(token: token) else {
            // Guessing has to take time.
            try await Task.sleep(for: .milliseconds(500))
            throw WebError(status: .unauthorized, message: "This is not the token of this endpoint.")
        }
        var response = Response.json(.object([]))
        response.headers[.setCookie] = "\(Access.cookie(request))=\(session); Path=/; HttpOnly; SameSite=Strict"
        return response
    }

    private func signOut(_ request: Request, _: TrackContext) async throws -> Response {
        _ = try WebParameters(request)
        self.access.close(request)
        var response = Response.json(.object([]))
        response.headers[.setCookie] = "\(Access.cookie(request))=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        return response
    }
}

/// What a store holds.
struct StoreContents: Sendable {
    struct Logstore: Sendable {
        var project: String
        var logstore: String
        var logs: Int
    }

    var logstores: [Logstore] = []
    var logs = 0
    /// Of the file, or of memory.
    var bytes = 0
}

extension LogStore {
    /// What there is, by project and logstore.
    func contents() async throws -> StoreContents {
        try await self.database.read { database in
            var contents = StoreContents()
            let rows = try RawStatement(
                """
                SELECT project, logstore, sum(logs) FROM counts JOIN kinds ON kinds.id = counts.kind
                GROUP BY project, logstore ORDER BY project, logstore
                """,
                in: database
            )
            defer { rows.reset() }
            while try rows.step() {
                let logs = Int(rows.int(2))
                contents.logstores.append(
                    StoreContents.Logstore(project: rows.string(0), logstore: rows.string(1), logs: logs)
                )
                contents.logs += logs
            }
            contents.bytes = try Self.usedBytes(in: database)
            return contents
        }
    }
}
