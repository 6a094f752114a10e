// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Hummingbird

/// Why an order cannot be placed or shown.
///
/// Hummingbird answers it to the client. The request's log line carries its type and its text, as `error.type` and
/// `error.message`.
enum OrderError: HTTPResponseError, Equatable, CustomStringConvertible {
    case invalid(field: String, rule: String)
    case invalidID(String)
    case notFound(id: Int)

    var status: HTTPResponse.Status {
        switch self {
        case .invalid: .unprocessableContent
        case .invalidID: .badRequest
        case .notFound: .notFound
        }
    }

    var description: String {
        switch self {
        case .invalid(let field, let rule): "\(field) \(rule)"
        case .invalidID(let text): "\(text.debugDescription) is not the number of an order"
        case .notFound(let id): "there is no order \(id)"
        }
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        try HTTPError(self.status, message: self.description).response(from: request, context: context)
    }
}
