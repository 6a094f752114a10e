//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// `POST /logstores/{name}/track`
struct PutHandler: Sendable {
    let settings: ServerSettings
    let admission: Admission
    let store: LogStore
    let counters: ServerCounters

    func handle(_ request: Request, context: TrackContext) async throws -> Response {
        let logstore = try self.admission.logstore(of: request, context: context)
        if request.uri.query != nil {
            throw ServiceError.parameterInvalid("A POST takes its parameters in headers, not in the query.")
        }
        let body = try await self.body(of: request)
        let decoded = try PutWebtrackingDecoder(limits: self.settings.limits).decode(
            PutWebtrackingDecoder.Input(
                version: request.headers[Self.version],
                rawSize: request.headers[Self.rawSize],
                compressType: request.headers[Self.compressType],
                body: body
            )
        )
        let fault = self.settings.faults.fault(
            for: FaultPlan.Request(
                index: self.counters.nextIndex(),
                logstore: logstore,
                topic: decoded.group.topic,
                logCount: decoded.group.logs.count
            )
        )
        guard let fault else {
            try await self.append(decoded, to: logstore)
            return .success
        }
        self.counters.count { $0.faults += 1 }
        return try await self.suffer(fault, channel: context.channel) {
            try await self.append(decoded, to: logstore)
        }
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
        return Array(buffer: try await request.body.collect(upTo: limit))
    }

    private func append(_ decoded: PutWebtrackingDecoder.Output, to logstore: String) async throws {
        try await self.store.append(
            decoded.group,
            project: self.settings.project,
            logstore: logstore,
            receivedAt: Date(),
            compression: decoded.compression,
            rawBytes: decoded.rawBytes,
            wireBytes: decoded.wireBytes
        )
        self.counters.count {
            $0.logs += decoded.group.logs.count
            $0.rawBytes += decoded.rawBytes
            $0.wireBytes += decoded.wireBytes
        }
    }

    private func suffer(
        _ fault: Fault,
        channel: any Channel,
        store: () async throws -> Void
    ) async throws -> Response {
        switch fault {
        case .answer(let error):
            throw PlannedAnswer(error: error)
        case .resetBeforeStore:
            try await channel.reset()
            throw ConnectionAborted()
        case .resetAfterStore:
            try await store()
            try await channel.reset()
            throw ConnectionAborted()
        case .slow(let delay):
            try await store()
            try await Task.sleep(for: delay)
            return .success
        case .cutReply:
            try await store()
            return .cut(on: channel)
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
