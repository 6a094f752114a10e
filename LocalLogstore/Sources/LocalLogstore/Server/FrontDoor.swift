// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore

/// What comes before the routes: HEAD of what GET reads, and bodies that clients hold back.
struct FrontDoor<Routes: HTTPResponder<TrackContext>>: HTTPResponder {
    let routes: Routes

    func respond(to request: Request, context: TrackContext) async throws -> Response {
        var request = request
        if request.headers[.expect] != nil {
            request.body = RequestBody(asyncSequence: AwaitedBody(body: request.body, channel: context.channel))
        }
        guard request.method == .head, RequestPath(request).owner == .page else {
            return try await self.routes.respond(to: request, context: context)
        }
        var head = request.head
        head.method = .get
        let answer = try await self.routes.respond(to: Request(head: head, body: request.body), context: context)
        var response = answer.createHeadResponse()
        // That of the answer to GET, and not that of no body.
        response.headers[.contentLength] = answer.headers[.contentLength]
        return response
    }
}

/// A body that the client is told to send once somebody reads it.
private struct AwaitedBody: AsyncSequence, Sendable {
    let body: RequestBody
    let channel: any Channel

    func makeAsyncIterator() -> Iterator { Iterator(parts: self.body.makeAsyncIterator(), channel: self.channel) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var parts: RequestBody.AsyncIterator
        fileprivate let channel: any Channel
        private var isAwaited = false

        fileprivate init(parts: RequestBody.AsyncIterator, channel: any Channel) {
            self.parts = parts
            self.channel = channel
        }

        @concurrent mutating func next() async throws -> ByteBuffer? {
            if !self.isAwaited {
                self.isAwaited = true
                self.channel.triggerUserOutboundEvent(ConnectionHandler.BodyWanted(), promise: nil)
            }
            return try await self.parts.next()
        }
    }
}
