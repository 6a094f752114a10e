// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// `POST /logstores/{name}/track`, and signed `shards/lb`, `shards/route` and, in compatible mode, `/logstores/{name}`
struct PutHandler: Sendable {
    let settings: ServerSettings
    let admission: Admission
    let store: LogStore
    let counters: ServerCounters
    let rehearsal: Rehearsal
    /// The keys that requests are signed with; `nil` where they are anonymous.
    var keys: AccessKeyRing?
    /// Whether the query says which shard takes the logs.
    var isRouted = false

    func handle(_ request: Request, context: TrackContext) async throws -> Response {
        context.draft.update { $0.isDelivery = true }
        let place = try self.admission.place(of: request, context: context, isSigned: self.keys != nil)
        context.draft.update {
            $0.compression = request.headers[Self.compressType] ?? Compression.none.rawValue
            $0.rawBytes = request.headers[Self.rawSize].flatMap(Int.init) ?? 0
        }
        if !self.isRouted, self.settings.mode == .strict, request.uri.query != nil {
            throw ServiceError.parameterInvalid("A POST takes its parameters in headers, not in the query.")
        }
        let body = try await self.body(of: request)
        context.draft.update {
            $0.wireBytes = body.count
            $0.batch = BatchFingerprint.of(body)
        }
        if let keys = self.keys { try request.checkSignature(body, keys: keys) }
        let route = self.isRouted ? try ShardRoute(request.parameters, mode: self.settings.mode) : nil
        let decoded = try self.decode(body, of: request)
        context.draft.update {
            $0.rawBytes = decoded.rawBytes
            $0.logCount = decoded.group.logs.count
            // A client that numbers its batches says itself what is the same.
            if let batch = decoded.group.tags.first(where: { $0.name == "__pack_id__" }) { $0.batch = batch.value }
        }
        let fault = try await self.fault(for: decoded, to: place, by: route)
        let store: @Sendable () async throws -> ServiceError? = {
            do {
                try await self.append(decoded, to: place, by: route)
            } catch let refusal as ServiceError {
                context.draft.update { $0.refusal = refusal }
                return refusal
            }
            context.draft.update { $0.isStored = true }
            return nil
        }
        guard let fault else { return try await Self.answer(store()) }
        self.counters.count { $0.faults += 1 }
        return try await self.suffer(fault, channel: context.channel, store: store)
    }

    private func decode(_ body: [UInt8], of request: Request) throws(ServiceError) -> PutWebtrackingDecoder.Output {
        var version = request.headers[Self.version]
        if self.settings.mode == .compatible, version == nil {
            version = request.uri.queryParameters["APIVersion"].map(String.init)
        }
        let decoder = PutWebtrackingDecoder(limits: self.settings.limits, mode: self.settings.mode)
        let input = PutWebtrackingDecoder.Input(
            version: version,
            rawSize: request.headers[Self.rawSize],
            compressType: request.headers[Self.compressType],
            body: body
        )
        guard self.keys != nil else { return try decoder.decode(input) }
        return try PutLogsDecoder(track: decoder).decode(input, contentType: request.headers[.contentType], now: Date())
    }

    /// What goes wrong with a valid request, by the plan or by the rehearsal, which may also hold it up here.
    private func fault(
        for decoded: PutWebtrackingDecoder.Output,
        to place: Admission.Place,
        by route: ShardRoute?
    ) async throws -> Fault? {
        let index = self.counters.nextIndex()
        let planned = self.settings.faults.fault(
            for: FaultPlan.Request(
                index: index,
                logstore: place.logstore,
                topic: decoded.group.topic,
                logCount: decoded.group.logs.count
            )
        )
        if let planned { return planned }
        let verdict = self.rehearsal.verdict(
            for: RehearsalPlan.Request(
                index: index,
                rawBytes: decoded.rawBytes,
                logCount: decoded.group.logs.count,
                project: place.project,
                logstore: place.logstore,
                topic: decoded.group.topic,
                key: route?.key
            )
        )
        if verdict.delay > .zero { try await Task.sleep(for: verdict.delay) }
        return verdict.fault
    }

    private static let version = HTTPField.Name("x-log-apiversion")!
    private static let rawSize = HTTPField.Name("x-log-bodyrawsize")!
    private static let compressType = HTTPField.Name("x-log-compresstype")!

    private func body(of request: Request) async throws -> [UInt8] {
        guard let length = request.headers[.contentLength].flatMap(Int.init) else {
            throw ServiceError(status: 411, code: "MissingContentLength", message: "Content-Length is missing.")
        }
        let limit = self.settings.limits.wireBytes
        guard length <= limit else {
            throw ServiceError.bodyTooLarge("The body of \(length) bytes must not be over \(limit).", status: 413)
        }
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: limit)
        } catch {
            throw ClientDisconnected(reason: error)
        }
        guard body.readableBytes == length else { throw ClientDisconnected() }
        return Array(buffer: body)
    }

    private func append(
        _ decoded: PutWebtrackingDecoder.Output,
        to place: Admission.Place,
        by route: ShardRoute?
    ) async throws {
        try await self.store.append(
            decoded.group,
            project: place.project,
            logstore: place.logstore,
            receivedAt: Date(),
            compression: decoded.compression,
            rawBytes: decoded.rawBytes,
            wireBytes: decoded.wireBytes,
            write: route.flatMap { route in
                route.sequence.map {
                    IdempotentWrite(key: route.key, sequence: $0, memory: self.rehearsal.memoryOfKeys)
                }
            }
        )
        self.counters.count {
            $0.logs += decoded.group.logs.count
            $0.rawBytes += decoded.rawBytes
            $0.wireBytes += decoded.wireBytes
        }
    }

    /// The answer to what was stored, or refused at that.
    private static func answer(_ refusal: ServiceError?) throws -> Response {
        if let refusal { throw refusal }
        return .success
    }

    /// - Parameter store: Returns why it did not.
    private func suffer(
        _ fault: Fault,
        channel: any Channel,
        store: () async throws -> ServiceError?
    ) async throws -> Response {
        switch fault {
        case .answer(let error):
            throw PlannedAnswer(error: error)
        case .resetBeforeStore:
            try await channel.reset()
            throw ConnectionAborted()
        case .resetAfterStore:
            // Nor does anybody hear of a refusal.
            _ = try await store()
            try await channel.reset()
            throw ConnectionAborted()
        case .slow(let delay):
            let refusal = try await store()
            try await Task.sleep(for: delay)
            return try Self.answer(refusal)
        case .cutReply:
            return .cut(on: channel, status: try await store()?.status ?? 200)
        case .withoutRequestID:
            var response = Response.success
            response.headers[AnswerMiddleware.omitsRequestID] = "1"
            return response
        }
    }
}

extension Response {
    /// What the service answers when it has taken the logs.
    static var success: Response {
        Response(
            status: .ok,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: "{}"))
        )
    }
}
