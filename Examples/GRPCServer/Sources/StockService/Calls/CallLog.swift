// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import Instrumentation
import Logging

/// Logs one line for every call when its last message is written, and puts the call's id on its answer.
struct CallLog: ServerInterceptor {
    var logger = Logger(label: "rpc.calls")

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @concurrent @Sendable (StreamingServerRequest<Input>, ServerContext) async throws ->
            StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let call = Call(context.descriptor, metadata: request.metadata)
        let start = ContinuousClock.now
        var current = ServiceContext.current ?? .topLevel
        current.call = call
        let callContext = current
        return try await ServiceContext.$current.withValue(callContext) {
            do {
                let response = try await next(request, context)
                var contents = try response.accepted.get()
                contents.metadata.replaceOrAddString(call.id, forKey: Call.idKey)
                // The messages of the answer are written later, when this function has returned: they are part of the call.
                let write = contents.producer
                contents.producer = { writer in
                    try await ServiceContext.$current.withValue(callContext) {
                        do {
                            let trailers = try await write(writer)
                            self.log(peer: context.remotePeer, since: start, error: nil)
                            return trailers
                        } catch {
                            self.log(peer: context.remotePeer, since: start, error: error)
                            throw error
                        }
                    }
                }
                return StreamingServerResponse(accepted: .success(contents))
            } catch {
                self.log(peer: context.remotePeer, since: start, error: error)
                throw error
            }
        }
    }

    /// The call itself is on the line by the metadata provider.
    private func log(peer: String, since start: ContinuousClock.Instant, error: (any Error)?) {
        let duration = ((ContinuousClock.now - start) / .microseconds(1)).rounded() / 1000
        self.logger.log(
            level: error == nil ? .info : .error,
            error == nil ? "call handled" : "call failed",
            error: error,
            metadata: ["rpc.status": "\(Self.status(of: error))", "peer": "\(peer)", "duration_ms": "\(duration)"]
        )
    }

    /// What the client is told.
    private static func status(of error: (any Error)?) -> String {
        switch error {
        case nil: "ok"
        case let error as RPCError: "\(error.code)"
        case let error as any RPCErrorConvertible: "\(error.rpcErrorCode)"
        default: "\(RPCError.Code.unknown)"
        }
    }
}
