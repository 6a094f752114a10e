// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// What SDKs read with a signature: logs, histograms, groups of a shard, and what there is.
struct ReadHandler: Sendable {
    let settings: ServerSettings
    let admission: Admission
    let store: LogStore
    let keys: AccessKeyRing

    func add(to router: Router<TrackContext>) {
        router.get("logstores", use: self.logstores)
        router.get("logstores/:logstore", use: self.logstore)
        router.get("logstores/:logstore/index", use: self.histogram)
        router.post("logstores/:logstore/logs", use: self.logs)
        router.get("logstores/:logstore/shards", use: self.shards)
        router.get("logstores/:logstore/shards/:shard", use: self.shard)
    }

    // MARK: - Logs

    /// `GET /logstores/{name}`, by `type`: GetLogs, GetHistograms, or without it GetLogstore.
    private func logstore(_ request: Request, context: TrackContext) async throws -> Response {
        let place = try await self.place(of: request, context)
        switch try request.parameters.first(where: { $0.name == "type" })?.value {
        case "log":
            let logs = try await self.store.slice(self.question(request, place))
            var response = Response.json(LogsAnswer.array(logs))
            response.headers[Self.count] = String(logs.count)
            response.headers[Self.progress] = "Complete"
            return response
        case "histogram": return try await self.histogram(request, place)
        case nil:
            _ = try self.parameters(request, [])
            return .json(self.description(of: place))
        case let type?: throw ServiceError.parameterInvalid("The type \(type) is neither log nor histogram.")
        }
    }

    /// `POST /logstores/{name}/logs`: GetLogs with the question in the body.
    private func logs(_ request: Request, context: TrackContext) async throws -> Response {
        let body = try await self.body(of: request)
        try self.check(request, body)
        let place = try self.admission.readPlace(of: request, context: context)
        let fields = try ReadParameters.fields(ofJSON: body)
        let question = try LogsQuestion(
            ReadParameters(fields, known: LogsQuestion.names, mode: self.settings.mode),
            in: place
        )
        let logs = try await self.store.slice(question)
        return self.compressed(
            LogsAnswer.object(logs, query: question.query),
            type: "application/json",
            for: request
        )
    }

    /// `GET /logstores/{name}/index`: GetHistograms.
    private func histogram(_ request: Request, context: TrackContext) async throws -> Response {
        try await self.histogram(request, self.place(of: request, context))
    }

    private func histogram(_ request: Request, _ place: Admission.Place) async throws -> Response {
        let question = try self.question(request, place)
        let parts = HistogramAnswer.parts(of: question.seconds)
        let overview = try await self.store.overview(of: question.selection, buckets: parts)
        var response = Response.json(HistogramAnswer.array(overview, of: question.seconds))
        response.headers[Self.count] = String(overview.total)
        response.headers[Self.progress] = "Complete"
        return response
    }

    private func question(_ request: Request, _ place: Admission.Place) throws(ServiceError) -> LogsQuestion {
        try LogsQuestion(self.parameters(request, LogsQuestion.names), in: place)
    }

    // MARK: - Shards

    /// There is one, whatever a rehearsal says of its quotas.
    private func shards(_ request: Request, context: TrackContext) async throws -> Response {
        _ = try await self.place(of: request, context)
        return .json(
            .array([
                .object([
                    ("shardID", .int(0)), ("status", .string("readwrite")),
                    ("inclusiveBeginKey", .string(String(repeating: "0", count: 32))),
                    ("exclusiveEndKey", .string(String(repeating: "f", count: 32))), ("createTime", .int(0)),
                ])
            ])
        )
    }

    /// `GET /logstores/{name}/shards/0`, by `type`: GetCursor or PullLogs.
    private func shard(_ request: Request, context: TrackContext) async throws -> Response {
        let place = try await self.place(of: request, context)
        guard context.parameters.get("shard") == "0" else {
            throw ServiceError(status: 404, code: "ShardNotExist", message: "There is shard 0 alone here.")
        }
        let parameters = try self.parameters(request, ["type", "from", "cursor", "end_cursor", "count"])
        switch parameters.text("type") {
        case "cursor":
            let time: Int64?
            switch parameters.text("from") {
            case "begin": time = .min
            case "end": time = nil
            default: time = try parameters.int("from", in: 0...1 << 40) * 1_000_000
            }
            return .json(.object([("cursor", .string(try await self.store.cursor(in: place, since: time).text))]))
        case "log", "logs":
            let pulled = try await self.store.pull(
                in: place,
                from: PullCursor(parameters.text("cursor")),
                until: parameters.text("end_cursor").map(PullCursor.init),
                count: Int(parameters.int("count", in: 1...1000, default: 100))
            )
            var response = self.compressed(pulled.answer.bytes, type: "application/x-protobuf", for: request)
            response.headers[Self.count] = String(pulled.answer.count)
            response.headers[Self.cursor] = pulled.next.text
            return response
        case let type: throw ServiceError.parameterInvalid("The type \(type ?? "") is neither cursor nor log.")
        }
    }

    // MARK: - What there is

    /// `GET /`: GetProject.
    func project(_ request: Request, context: TrackContext) async throws -> Response {
        try await self.check(request)
        let project = try self.admission.project(of: request)
        return .json(
            .object([
                ("projectName", .string(project)), ("status", .string("Normal")),
                ("description", .string("A local endpoint")), ("region", .string("local")), ("owner", .string("")),
                ("createTime", .string("")), ("lastModifyTime", .string("")),
            ])
        )
    }

    /// `GET /logstores`: ListLogStores.
    private func logstores(_ request: Request, context: TrackContext) async throws -> Response {
        try await self.check(request)
        let project = try self.admission.project(of: request)
        let parameters = try self.parameters(request, ["offset", "size", "logstoreName", "mode", "telemetryType"])
        let part = parameters.text("logstoreName")?.lowercased()
        let names = try await self.store.logstores(of: project).union(self.admission.registry.names(of: project))
            .filter { part.map($0.contains) ?? true }.sorted()
        let offset = try Int(parameters.int("offset", in: 0...1 << 32, default: 0))
        let size = try Int(parameters.int("size", in: 0...500, default: 500))
        let listed = Array(names.dropFirst(offset).prefix(size))
        return .json(
            .object([
                ("count", .int(listed.count)), ("total", .int(names.count)), ("logstores", .strings(listed)),
            ])
        )
    }

    private func description(of place: Admission.Place) -> JSONValue {
        let days = self.settings.retention.maximumAge.map { max(1, Int($0 / .seconds(86_400))) }
        return .object([
            ("logstoreName", .string(place.logstore)),
            // The service's number for ever.
            ("ttl", .int(days ?? 3650)), ("shardCount", .int(1)),
            ("enable_tracking", .bool(self.admission.registry.isTracking(place.logstore))),
            ("appendMeta", .bool(false)), ("autoSplit", .bool(false)), ("maxSplitShard", .int(1)),
            ("mode", .string("standard")), ("telemetryType", .string("")),
        ])
    }

    // MARK: - Requests

    private static let version = HTTPField.Name("x-log-apiversion")!
    private static let count = HTTPField.Name("x-log-count")!
    private static let progress = HTTPField.Name("x-log-progress")!
    private static let cursor = HTTPField.Name("x-log-cursor")!
    private static let rawSize = HTTPField.Name("x-log-bodyrawsize")!
    private static let compressType = HTTPField.Name("x-log-compresstype")!

    /// Longer questions are no questions.
    private static let maximumBody = 1 << 16

    /// Of a request whose body says nothing. Whether there is such a logstore is told those alone who may read.
    private func place(of request: Request, _ context: TrackContext) async throws -> Admission.Place {
        try await self.check(request)
        return try self.admission.readPlace(of: request, context: context)
    }

    /// What the body says does not matter, but it is signed.
    private func check(_ request: Request) async throws {
        try self.check(request, await self.body(of: request))
    }

    private func check(_ request: Request, _ body: [UInt8]) throws(ServiceError) {
        if self.settings.mode == .strict || request.headers[Self.version] != nil {
            try ServiceError.checkVersion(request.headers[Self.version])
        }
        try request.checkSignature(body, keys: self.keys)
    }

    private func body(of request: Request) async throws -> [UInt8] {
        do {
            return Array(buffer: try await request.body.collect(upTo: Self.maximumBody))
        } catch is NIOTooManyBytesError {
            throw ServiceError.bodyTooLarge("The body must not be over \(Self.maximumBody) bytes.", status: 413)
        } catch {
            throw ClientDisconnected(reason: error)
        }
    }

    private func parameters(_ request: Request, _ known: Set<String>) throws(ServiceError) -> ReadParameters {
        try ReadParameters(request.parameters, known: known, mode: self.settings.mode)
    }

    private func compressed(_ bytes: [UInt8], type: String, for request: Request) -> Response {
        let compression = AnswerCompression.accepted(request.headers[.acceptEncoding])
        // Nothing is left as it is, and clients look for the header all the same.
        let body = bytes.isEmpty ? bytes : AnswerCompression.compress(bytes, compression)
        var response = Response(
            status: .ok,
            headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body ?? bytes))
        )
        response.headers[Self.rawSize] = String(bytes.count)
        if body != nil, compression != .none { response.headers[Self.compressType] = compression.rawValue }
        return response
    }
}
