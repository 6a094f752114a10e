// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// `/api/rehearsal`: how the endpoint misbehaves.
struct RehearsalAPI: Sendable {
    let rehearsal: Rehearsal
    let access: Access

    func add(to api: RouterGroup<TrackContext>) {
        api.get("rehearsal") { request, _ in
            _ = try WebParameters(request)
            return self.answer
        }
        api.put("rehearsal", use: self.apply)
    }

    private var answer: Response {
        let status = self.rehearsal.status
        return .json(
            .object([
                ("settings", Self.json(status.settings)), ("elapsed", .double(status.elapsed)),
                ("outageNow", .bool(status.isInOutage)), ("trackingOffNow", .bool(status.isTrackingOff)),
                ("faults", .int(status.faults)), ("kinds", .strings(Fault.kinds.map(\.name))),
            ])
        )
    }

    private func apply(_ request: Request, _: TrackContext) async throws -> Response {
        try self.access.checkWrite(request)
        _ = try WebParameters(request)
        let body = try await request.body.collect(upTo: 16 * 1024)
        guard let value = try? JSONValue(parsing: Array(buffer: body)), case .object(let members) = value else {
            throw WebError.badRequest("The body has to be a JSON object.")
        }
        var settings = RehearsalSettings()
        for (name, value) in members { try Self.set(name, to: value, in: &settings) }
        if let problem = settings.problem { throw WebError.badRequest(problem) }
        self.rehearsal.apply(settings)
        return self.answer
    }

    private static func json(_ settings: RehearsalSettings) -> JSONValue {
        func window(_ window: RehearsalSettings.Window?) -> JSONValue {
            window.map { .object([("start", .double($0.start)), ("length", .double($0.length))]) } ?? .null
        }
        return .object([
            ("shards", .int(settings.shards)), ("shardBytes", .int(settings.shardBytes)),
            ("shardRequests", .int(settings.shardRequests)), ("latency", .int(settings.latency)),
            ("jitter", .int(settings.jitter)), ("errorShare", .double(settings.errorShare)),
            ("errorKinds", .strings(settings.errorKinds)), ("seed", .int(settings.seed)),
            ("outage", window(settings.outage)), ("trackingOff", window(settings.trackingOff)),
            ("forgetKeys", settings.forgetKeys.map { .double($0) } ?? .null),
            ("maximumBytes", settings.maximumBytes.map { .int($0) } ?? .null),
            ("maximumLogs", settings.maximumLogs.map { .int($0) } ?? .null),
        ])
    }

    private static func set(
        _ name: String,
        to value: JSONValue,
        in settings: inout RehearsalSettings
    ) throws(WebError) {
        func number<Number: LosslessStringConvertible>(_: Number.Type = Number.self) throws(WebError) -> Number {
            guard case .number(let text) = value, let number = Number(text) else {
                throw .badRequest("\(name) has to be a number.")
            }
            return number
        }
        func optional<Number: LosslessStringConvertible>() throws(WebError) -> Number? {
            if case .null = value { return nil }
            return try number()
        }
        func window() throws(WebError) -> RehearsalSettings.Window? {
            if case .null = value { return nil }
            guard case .number(let start)? = value["start"], case .number(let length)? = value["length"],
                let start = Double(start), let length = Double(length)
            else { throw .badRequest("\(name) has to be null, or an object with start and length in seconds.") }
            return RehearsalSettings.Window(start: start, length: length)
        }
        switch name {
        case "shards": settings.shards = try number()
        case "shardBytes": settings.shardBytes = try number()
        case "shardRequests": settings.shardRequests = try number()
        case "latency": settings.latency = try number()
        case "jitter": settings.jitter = try number()
        case "errorShare": settings.errorShare = try number()
        case "seed": settings.seed = try number()
        case "forgetKeys": settings.forgetKeys = try optional()
        case "maximumBytes": settings.maximumBytes = try optional()
        case "maximumLogs": settings.maximumLogs = try optional()
        case "outage": settings.outage = try window()
        case "trackingOff": settings.trackingOff = try window()
        case "errorKinds":
            guard case .array(let kinds) = value else { throw .badRequest("errorKinds has to be an array.") }
            settings.errorKinds = kinds.compactMap { if case .string(let kind) = $0 { kind } else { nil } }
        default: throw .badRequest("There is no setting called \(name).")
        }
    }
}
