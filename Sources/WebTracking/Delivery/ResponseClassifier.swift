//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

/// What an answer, or the lack of one, means for the batch that was sent.
package enum Verdict: Sendable, Equatable {
    /// The service has the records.
    case delivered
    /// Send the same batch again later; the service may have named the time.
    case retry(RequestOutcome, after: Duration?)
    /// Send it in two halves.
    case split
    /// Sending it again would not help.
    case reject

    package var outcome: RequestOutcome {
        switch self {
        case .delivered: .delivered
        case .retry(let outcome, _): outcome
        case .split: .tooLarge
        case .reject: .rejected
        }
    }
}

/// Reads answers of the service.
package enum ResponseClassifier {
    /// The verdict on an answer, and what the service says about it.
    ///
    /// An answer without `x-log-requestid` does not come from the service but from something in between, such as a
    /// captive portal, and proves nothing: it is retried whatever its status.
    package static func classify(_ response: TransportResponse, wallTime: Int64) -> (Verdict, ServiceError?) {
        let requestID = response.header("x-log-requestid")
        let error =
            (200..<300).contains(response.status)
            ? nil : ServiceError(status: response.status, requestID: requestID, body: response.body)
        let pause = response.header("retry-after").flatMap { RetryAfter.parse($0, wallTime: wallTime) }
        guard requestID != nil else {
            return (
                .retry(.failed, after: pause),
                error ?? ServiceError(status: response.status, requestID: nil, body: response.body)
            )
        }
        switch response.status {
        case 200..<300: return (.delivered, nil)
        case 408, 429, 500...: return (.retry(.unavailable, after: pause), error)
        case 401: return (.retry(.unauthorized, after: pause), error)
        case 404: return (.retry(.notFound, after: pause), error)
        case 403 where error?.isQuota == true: return (.retry(.throttled, after: pause), error)
        case 413: return (.split, error)
        case 400 where error?.code == "PostBodyTooLarge": return (.split, error)
        case 400 where error?.code == "RequestTimeout": return (.retry(.unavailable, after: pause), error)
        default: return (.reject, error)
        }
    }
}

/// What the service says about a request that it did not take.
public struct ServiceError: Sendable, Equatable, CustomStringConvertible {
    /// The HTTP status.
    public var status: Int
    /// The service's `errorCode`; empty if the answer had none.
    public var code: String
    /// The service's `errorMessage`, or the beginning of a body that is not the service's JSON.
    public var message: String
    /// The id to quote to the service's support; `nil` if the answer does not come from the service.
    public var requestID: String?

    /// The error in one line.
    public var description: String {
        let code = self.code.isEmpty ? "" : " \(self.code)"
        let message = self.message.isEmpty ? "" : ": \(self.message)"
        let id = self.requestID.map { " (request id \($0))" } ?? " (no request id: not an answer of the service)"
        return "HTTP \(self.status)\(code)\(message)\(id)"
    }

    /// Whether a quota of the project or of a shard was exceeded.
    var isQuota: Bool { self.code.contains("Quota") }

    init(status: Int, requestID: String?, body: [UInt8]) {
        self.status = status
        self.requestID = requestID
        if case .object(let members)? = try? JSONValue.parse(body) {
            self.code = members.text("errorCode") ?? ""
            self.message = members.text("errorMessage") ?? ""
        } else {
            self.code = ""
            self.message = String(decoding: body.prefix(200), as: UTF8.self)
        }
        self.code = Self.line(self.code)
        self.message = Self.line(self.message)
    }

    /// One line of text without control characters, so that an answer cannot write to a terminal what it likes.
    private static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(500).map { $0.value < 32 || $0.value == 127 ? " " : $0 }
            )
        )
    }
}

extension [(name: String, value: JSONValue)] {
    fileprivate func text(_ name: String) -> String? {
        guard case .string(let text)? = self.first(where: { $0.name == name })?.value else { return nil }
        return text
    }
}
