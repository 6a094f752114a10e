// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOHTTP1

/// Frames answers as ``ConnectionState`` decides, tells clients to go on that wait for that, and ends connections so that
/// the last answer arrives.
///
/// Stands directly behind the parser, where the version of a request is still known.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// An event for the channel of a request: its body is wanted.
    struct BodyWanted: Sendable {}

    private var state = ConnectionState()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Reset while there is something to read, a connection can lose its last answer. So it is read and dropped.
        guard !self.state.hasEnded else { return }
        switch self.unwrapInboundIn(data) {
        case .head(var head):
            RequestTarget(head.uri)?.replace(in: &head)
            self.state.receive(&head)
            context.fireChannelRead(self.wrapInboundOut(.head(head)))
        case .body, .end:
            self.state.receiveBody()
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Nobody above asks for what is dropped.
        if self.state.hasEnded { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !self.state.hasEnded { context.fireErrorCaught(error) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { self.state.stop() }
        context.fireUserInboundEventTriggered(event)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyWanted else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        if self.state.wantBody() {
            let head = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(self.wrapOutboundOut(.head(head)), promise: nil)
        }
        promise?.succeed()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch self.unwrapOutboundIn(data) {
        case .head(var head):
            self.state.answer(&head)
            context.write(self.wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(self.state.answerHasBody ? data : self.nothing(in: context), promise: promise)
        case .end:
            // The end of a body without a length is bytes, too.
            let end = self.state.answerHasBody ? data : self.nothing(in: context)
            guard self.state.endAnswer() else {
                context.write(end, promise: promise)
                return
            }
            // Closed earlier, a connection whose client has closed its side would lose what does not fit into one write.
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in context.close(mode: .output, promise: nil) }
            context.writeAndFlush(end, promise: written)
            context.read()
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output, self.state.hasEnded else {
            context.close(mode: mode, promise: promise)
            return
        }
        // It is, once the last answer is written.
        promise?.succeed()
    }

    private func nothing(in context: ChannelHandlerContext) -> NIOAny {
        self.wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(capacity: 0))))
    }
}
