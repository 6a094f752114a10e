// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore

/// Gives the page and its interface their headers, and errors their shape.
struct WebMiddleware: RouterMiddleware {
    typealias Context = TrackContext

    private static let securityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    let access: Access

    func handle(
        _ request: Request,
        context: TrackContext,
        next: @concurrent (Request, TrackContext) async throws -> Response
    ) async throws -> Response {
        guard RequestPath(request).owner == .page else { return try await next(request, context) }
        var response: Response
        do {
            // Check requests for the page itself, too: under a name of its own, another site could read the answers.
            try self.access.checkName(request)
            response = try await next(request, context)
        } catch let error as WebError {
            response = error.response
        } catch let error as HTTPError where error.status.kind == .clientError {
            response =
                WebError(
                    status: error.status,
                    message: "There is nothing at \(request.uri.path); /api/openapi.json says what there is."
                ).response
        } catch is NIOTooManyBytesError {
            response = WebError(status: .contentTooLarge, message: "The body is too large.").response
        } catch let failure as StoreFailure {
            response =
                WebError(
                    status: HTTPResponse.Status(code: failure.reason == .full ? 507 : 503),
                    message: "\(failure)"
                ).response
        } catch let error as CancellationError {
            throw error
        } catch {
            response = WebError(status: .internalServerError, message: "\(error)").response
        }
        Self.protect(&response)
        return response
    }

    /// Keeps other sites from showing an answer in a frame, and from reading it.
    static func protect(_ response: inout Response) {
        response.headers[.contentSecurityPolicy] = Self.securityPolicy
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[Self.referrerPolicy] = "no-referrer"
        response.headers[Self.openerPolicy] = "same-origin"
        response.headers[Self.resourcePolicy] = "same-origin"
    }

    private static let referrerPolicy = HTTPField.Name("referrer-policy")!
    private static let openerPolicy = HTTPField.Name("cross-origin-opener-policy")!
    private static let resourcePolicy = HTTPField.Name("cross-origin-resource-policy")!
}
