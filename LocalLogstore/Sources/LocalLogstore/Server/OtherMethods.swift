// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

/// Answers 405 for the methods that a path does not have, and says which it has.
enum OtherMethods {
    private static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options]

    /// To be called once all other routes are there.
    static func add(to router: Router<TrackContext>) {
        for (path, routes) in Dictionary(grouping: router.routes, by: { $0.path.description }) {
            var known = routes.map(\.method)
            let isPage = RequestPath(path).owner == .page
            // What GET reads there, HEAD asks for before the routes.
            if isPage, known.contains(.get) { known.append(.head) }
            let allowed = known.map(\.rawValue).sorted().joined(separator: ", ")
            for method in self.methods where !known.contains(method) {
                router.on(RouterPath(path), method: method) { request, _ in
                    self.answer(to: request, allowed: allowed, isPage: isPage)
                }
            }
        }
    }

    private static func answer(to request: Request, allowed: String, isPage: Bool) -> Response {
        let message = "\(request.method.rawValue) is not for \(request.uri.path), which takes \(allowed)."
        var response: Response
        if isPage {
            response = WebError(status: .methodNotAllowed, message: message).response
        } else {
            let error = ServiceError(status: 405, code: "MethodNotAllowed", message: message)
            response = Response(
                status: .methodNotAllowed,
                headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: error.json))
            )
        }
        response.headers[.allow] = allowed
        return response
    }
}
