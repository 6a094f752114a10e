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
    /// Send it in two halves; a single record is given up.
    case split
    /// Send it in two halves; a single record is sent again later.
    case splitIfPossible
    /// Sending it again would not help.
    case reject

    package var outcome: RequestOutcome {
        switch self {
        case .delivered: .delivered
        case .retry(let outcome, _): outcome
        case .split, .splitIfPossible: .tooLarge
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
        let location = (300..<400).contains(response.status) ? response.header("location") : nil
        let error =
            (200..<300).contains(response.status)
            ? nil : ServiceError(status: response.status, requestID: requestID, location: location, body: response.body)
        let pause = response.header("retry-after").flatMap { RetryAfter.parse($0, wallTime: wallTime) }
        guard requestID != nil else {
            // A proxy's own limit, often 1 MiB, would refuse the whole batch for ever.
            if response.status == 413 { return (.splitIfPossible, error) }
            return (
                .retry(.failed, after: pause),
                error ?? ServiceError(status: response.status, requestID: nil, location: location, body: response.body)
            )
        }
        switch response.status {
        case 200..<300: return (.delivered, nil)
        case 408, 429, 500...: return (.retry(.unavailable, after: pause), error)
        // A signature made anew, at the right time or with other credentials, may do.
        case 400...403 where error?.isAboutTime == true: return (.retry(.unavailable, after: pause), error)
        case 401: return (.retry(.unauthorized, after: pause), error)
        case 404: return (.retry(.notFound, after: pause), error)
        case 403 where error?.isQuota == true: return (.retry(.throttled, after: pause), error)
        case 403 where error?.isAboutCredentials == true: return (.retry(.unauthorized, after: pause), error)
        case 413: return (.split, error)
        case 400 where error?.code == "PostBodyTooLarge": return (.split, error)
        case 400 where error?.code == "RequestTimeout": return (.retry(.unavailable, after: pause), error)
        default: return (.reject, error)
        }
    }
}
