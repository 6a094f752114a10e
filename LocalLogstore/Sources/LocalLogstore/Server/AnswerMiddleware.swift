// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird

/// An error that a fault plan asks for: an answer like others, but no event.
struct PlannedAnswer: Error {
    var error: ServiceError
}

/// Gives every answer the shape that the service's answers have.
struct AnswerMiddleware: RouterMiddleware {
    typealias Context = TrackContext

    /// A handler sets this header, which never leaves the endpoint, to have no request id in the answer.
    static let omitsRequestID = HTTPField.Name("x-local-omit-request-id")!

    private static let requestID = HTTPField.Name("x-log-requestid")!

    let counters: ServerCounters
    let store: LogStore
    let mode: DecodingMode
    let onEvent: @Sendable (ServerEvent) -> Void

    func handle(
        _ request: Request,
        context: TrackContext,
        next: @concurrent (Request, TrackContext) async throws -> Response
    ) async throws -> Response {
        // The page's own requests are none of the service's.
        let owner = RequestPath(request).owner
        if owner == .page { return try await next(request, context) }
        let start = ContinuousClock.now
        let receivedAt = Date().microseconds
        // Before it is answered: a connection that was reset has no address any more.
        let client = context.clientAddress
        func note(_ status: Int, _ error: ServiceError?) async {
            let elapsed = (ContinuousClock.now - start) / .microseconds(1)
            let delivery = context.draft.delivery(
                receivedAt: receivedAt,
                client: client,
                microseconds: Int(elapsed),
                error: error,
                status: status
            )
            if let delivery { await self.store.note(delivery) }
        }
        self.counters.count { $0.requests += 1 }
        var response: Response
        var failure: ServiceError?
        do {
            response = try await next(request, context)
        } catch let aborted as ConnectionAborted {
            await note(0, Self.reset)
            throw aborted
        } catch let gone as ClientDisconnected {
            // Nobody reads an answer, so there is none to count.
            await note(0, Self.disconnected)
            throw gone.reason
        } catch let planned as PlannedAnswer {
            failure = planned.error
            response = self.answer(planned.error)
        } catch {
            let known = self.serviceError(error)
            self.onEvent(.refused(known))
            failure = known
            response = self.answer(known)
        }
        await note(response.status.code, failure)
        // Pages of other sites may send logs, and read nothing but what became of that.
        if owner == .service {
            response.headers[.accessControlAllowOrigin] = "*"
        } else {
            WebMiddleware.protect(&response)
        }
        if self.mode == .compatible { response.headers[CompatibilityRoutes.time] = CompatibilityRoutes.now }
        if response.headers[Self.omitsRequestID] == nil {
            response.headers[Self.requestID] = Self.newRequestID()
        } else {
            response.headers[Self.omitsRequestID] = nil
        }
        let status = response.status.code
        self.counters.count { $0.answers[status, default: 0] += 1 }
        return response
    }

    private static let reset = ServiceError(
        status: 0,
        code: "ConnectionReset",
        message: "The connection was reset on purpose."
    )

    private static let disconnected = ServiceError(
        status: 0,
        code: "ClientDisconnected",
        message: "The client broke off before the end of its request."
    )

    private func serviceError(_ error: any Error) -> ServiceError {
        switch error {
        case let error as ServiceError:
            error
        case let failure as StoreFailure:
            .storeFailed(failure.reason)
        case let error as HTTPError where error.status.kind == .clientError:
            // A path or a method that the service does not document.
            .parameterInvalid("The request is not one of the web tracking api.")
        default:
            .internalError
        }
    }

    private func answer(_ error: ServiceError) -> Response {
        var response = Response(
            status: HTTPResponse.Status(code: error.status),
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: error.json))
        )
        if let seconds = error.retryAfter { response.headers[.retryAfter] = String(seconds) }
        return response
    }

    /// 24 upper-case hexadecimal digits.
    private static func newRequestID() -> String {
        let digits =
            String(UInt64.random(in: 0...UInt64.max), radix: 16, uppercase: true)
            + String(UInt32.random(in: 0...UInt32.max), radix: 16, uppercase: true)
        return String(repeating: "0", count: 24 - digits.count) + digits
    }
}

extension ServiceError {
    /// The logs were not stored, and may be sent again. What the matter is, its owner is told, and not everybody who sends.
    static func storeFailed(_ reason: StoreFailure.Reason) -> Self {
        switch reason {
        case .full: Self(status: 507, code: "InsufficientStorage", message: "The endpoint has no room for more logs.")
        case .removed:
            Self(status: 503, code: "DatabaseRemoved", message: "The endpoint stores nothing until it is started anew.")
        case .failing: Self(status: 503, code: "StorageFailed", message: "The endpoint cannot store logs at present.")
        }
    }
}
