// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird

/// `GET /logstores/{name}/track`, `track.gif` and `track_ua.gif`: one log in the query.
struct GetHandler: Sendable {
    /// What the three paths differ in.
    enum Form: String, CaseIterable {
        case plain = "track"
        case image = "track.gif"
        /// The names of the two additional fields are not documented; these are ours.
        case imageWithAgent = "track_ua.gif"
    }

    let form: Form
    let settings: ServerSettings
    let admission: Admission
    let store: LogStore
    let counters: ServerCounters

    func handle(_ request: Request, context: TrackContext) async throws -> Response {
        context.draft.update { $0.isDelivery = true }
        let place = try self.admission.place(of: request, context: context)
        context.draft.update {
            $0.logCount = 1
            $0.rawBytes = request.head.path?.utf8.count ?? 0
            $0.wireBytes = $0.rawBytes
        }
        let group = try TrackQueryDecoder(limits: self.settings.limits).decode(
            target: request.head.path ?? "",
            clientAddress: context.clientAddress,
            additional: self.form == .imageWithAgent ? self.agent(of: request) : []
        )
        try await self.store.append(group, project: place.project, logstore: place.logstore, receivedAt: Date())
        context.draft.update { $0.isStored = true }
        self.counters.count { $0.logs += 1 }
        return self.form == .plain ? .success : Self.image
    }

    private func agent(of request: Request) -> [Field] {
        [
            Field("user_agent", request.headers[.userAgent] ?? ""),
            Field("referer", request.headers[.referer] ?? ""),
        ]
    }

    /// One transparent pixel.
    private static var image: Response {
        let pixel: [UInt8] = [
            0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF,
            0xFF, 0x21, 0xF9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2C, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00,
            0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3B,
        ]
        return Response(
            status: .ok,
            headers: [.contentType: "image/gif", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: pixel))
        )
    }
}
