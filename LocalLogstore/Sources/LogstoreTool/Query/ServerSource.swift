// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import Foundation
import LocalLogstore
import NIOCore
import NIOHTTP1
import NIOPosix

/// An endpoint that runs, asked by its interface.
struct ServerSource: LogSource {
    /// Why it does not answer what was asked.
    enum Problem: Error, CustomStringConvertible, Equatable {
        case unreachable(String, String)
        case needsToken(String)
        case refused(String, Int, String)
        case noEndpoint(String)

        var description: String {
            switch self {
            case .unreachable(let name, let reason): "\(name) does not answer: \(reason)"
            case .needsToken(let name):
                "\(name) wants the token of its token file: name that with --token-file, or set WEBTRACKING_TOKEN"
            case .refused(let name, let status, let reason): "\(name) answered \(status): \(reason)"
            case .noEndpoint(let name): "what answers at \(name) is no webtracking serve"
            }
        }
    }

    private static let pageSize = 1_000

    let address: URL
    /// The search, and the conditions that options add to it.
    let search: String
    let token: String?

    /// Not URLSession, which asks nothing at an address of IPv6. One for the process, never released: a client that is
    /// released insists on a shut-down before.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        // The token is for the endpoint alone.
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = .seconds(30)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// - Parameter address: Without a path.
    init(address: URL, token: String?, search: String) {
        self.address = address
        self.token = token
        self.search = search
    }

    var name: String { self.address.absoluteString }

    func knownLogstores() async throws -> [String] {
        guard case .array(let logstores)? = try await self.ask("status", [:])["logstores"] else {
            throw self.noEndpoint
        }
        return logstores.compactMap { logstore in
            if case .string(let name)? = logstore["logstore"] { name } else { nil }
        }
    }

    func number(matching query: LogQuery) async throws -> Int {
        let answer = try await self.ask("overview", self.parameters(query, ["buckets": "1"]))
        guard let total = answer.int("total") else { throw self.noEndpoint }
        return min(Int(total), query.limit ?? .max)
    }

    func statistics(_ query: LogQuery, _ statement: StatementArgument) async throws -> Statistics {
        var parameters = self.parameters(query, [:])
        parameters["q"] = self.search + " | " + statement.text
        guard let statistics = Statistics(json: try await self.ask("statistics", parameters)) else {
            throw self.noEndpoint
        }
        return statistics
    }

    func read(_ query: LogQuery, _ body: (StoredLog) throws -> Void) async throws {
        var left = query.limit ?? .max
        let isNewestFirst = query.order == .newestFirst
        // Logs that come meanwhile are not part of the answer.
        let end = try await self.newest()
        var position = isNewestFirst ? end + 1 : 0
        while left > 0, isNewestFirst ? position > 1 : position < end {
            let answer = try await self.arrivals(
                query,
                [isNewestFirst ? "before" : "after": String(position), "limit": String(min(Self.pageSize, left))]
            )
            for log in answer.logs where log.id <= end {
                try body(log)
                left -= 1
            }
            position = answer.position
        }
    }

    func newest() async throws -> Int64 {
        let answer = try await self.ask("arrivals", ["limit": "1"])
        guard let newest = answer.int("newest") else { throw self.noEndpoint }
        return newest
    }

    func news(after position: Int64, _ query: LogQuery, limit: Int) async throws -> LogStore.Arrivals {
        try await self.arrivals(query, ["after": String(position), "limit": String(min(limit, Self.pageSize))])
    }

    func end() {}

    /// Removes logs and deliveries.
    func clear(project: String?, logstore: String?) async throws -> Cleared {
        var parameters: [String: String] = [:]
        parameters["project"] = project
        parameters["logstore"] = logstore
        let answer = try await self.ask("logs", parameters, method: .DELETE)
        guard let logs = answer.int("logs"), let deliveries = answer.int("deliveries") else { throw self.noEndpoint }
        return Cleared(logs: Int(logs), deliveries: Int(deliveries))
    }

    // MARK: - Requests

    private func parameters(_ query: LogQuery, _ others: [String: String]) -> [String: String] {
        var parameters = others
        parameters["q"] = self.search
        parameters["project"] = query.project
        parameters["logstore"] = query.logstore
        parameters["from"] = query.since.map { String(Int64($0.timeIntervalSince1970 * 1_000_000)) }
        return parameters
    }

    private func arrivals(_ query: LogQuery, _ others: [String: String]) async throws -> LogStore.Arrivals {
        let answer = try await self.ask("arrivals", self.parameters(query, others))
        guard let position = answer.int("position"), case .array(let values)? = answer["logs"] else {
            throw self.noEndpoint
        }
        let logs = values.compactMap { StoredLog(json: $0) }
        guard logs.count == values.count else { throw self.noEndpoint }
        return LogStore.Arrivals(logs: logs, position: position)
    }

    private var noEndpoint: Problem { .noEndpoint(self.name) }

    private func ask(
        _ path: String,
        _ parameters: [String: String],
        method: HTTPMethod = .GET
    ) async throws -> JSONValue {
        var components = URLComponents(url: self.address, resolvingAgainstBaseURL: false) ?? URLComponents()
        components.path = "/api/" + path
        // A plus sign would be taken for a space.
        components.percentEncodedQuery = parameters.sorted { $0.key < $1.key }
            .map { $0.key + "=" + ($0.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "") }
            .joined(separator: "&")
        guard let url = components.url else { throw self.noEndpoint }
        var request = HTTPClientRequest(url: url.absoluteString)
        request.method = method
        // No site of the web can send this: it is how the endpoint knows that a change is meant.
        if method != .GET { request.headers.add(name: "Content-Type", value: "application/json") }
        if let token = self.token { request.headers.add(name: "Authorization", value: "Bearer " + token) }
        let status: Int
        let body: ByteBuffer
        do {
            let response = try await Self.client.execute(request, deadline: .distantFuture)
            status = Int(response.status.code)
            body = try await response.body.collect(upTo: Int(UInt32.max))
        } catch {
            throw Problem.unreachable(self.name, Self.reason(error))
        }
        let answer = try? JSONValue(parsing: Array(body.readableBytesView))
        if status == 401 { throw Problem.needsToken(self.name) }
        guard status == 200, let answer else {
            if case .string(let message)? = answer?["error"]?["message"] {
                throw Problem.refused(self.name, status, message)
            }
            throw self.noEndpoint
        }
        return answer
    }

    /// What went wrong, without the names that types have.
    private static func reason(_ error: any Error) -> String {
        // A name may have several addresses, each with an error.
        let last = (error as? NIOConnectionError)?.connectionErrors.last?.error
        switch last ?? error {
        case let call as IOError: return String(cString: strerror(call.errnoCode))
        case let connection as NIOConnectionError where connection.dnsAError != nil || connection.dnsAAAAError != nil:
            return "no address is known of \(connection.host)"
        case let client as HTTPClientError: return client.shortDescription
        case let other where PlainEndpoint.answered(withError: "\(other)"):
            return "it does not speak TLS; write http:// in --url"
        case let other where "\(other)".contains("CERTIFICATE_VERIFY_FAILED"): return "its certificate is not trusted"
        case let other: return "\(other)"
        }
    }
}

extension JSONValue {
    fileprivate func int(_ name: String) -> Int64? {
        guard case .number(let text)? = self[name] else { return nil }
        return Int64(text)
    }
}
