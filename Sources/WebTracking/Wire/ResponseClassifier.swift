// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// What an answer, or the lack of one, means for the records that were sent.
package enum Verdict: Sendable, Equatable {
    /// The service has the records.
    case delivered
    /// Send the same records again later; the service may have named the time.
    case retry(RequestOutcome, after: Duration?)
    /// Send fewer of them: one record may be the reason, or all of them are too large. If the service refuses a single
    /// record, that is dropped for this reason. If a server in between does, the record is only suspected.
    case narrow(DropReason, byService: Bool)
    /// Sending them again would not help, however few.
    case reject

    package var outcome: RequestOutcome {
        switch self {
        case .delivered: .delivered
        case .retry(let outcome, _): outcome
        case .narrow(.tooLarge, _): .tooLarge
        case .narrow(_, byService: false): .failed
        case .narrow(_, byService: true), .reject: .rejected
        }
    }
}

extension TransportResponse {
    /// The service's id of the request; an empty one is none.
    package var requestID: String? {
        self.header("x-log-requestid").flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
    }
}

/// Reads answers of the service.
package enum ResponseClassifier {
    /// The verdict on an answer, and what the service says about it.
    ///
    /// An answer without `x-log-requestid` does not come from the service but from something in between, such as a
    /// captive portal, and proves nothing: it is retried whatever its status, and where the status can be about what was
    /// sent, with fewer records.
    package static func classify(_ response: TransportResponse, wallTime: Int64) -> (Verdict, ServiceError?) {
        let requestID = response.requestID
        let location = (300..<400).contains(response.status) ? response.header("location") : nil
        let error =
            (200..<300).contains(response.status)
            ? nil : ServiceError(status: response.status, requestID: requestID, location: location, body: response.body)
        let pause = response.header("retry-after").flatMap { RetryAfter.parse($0, wallTime: wallTime) }
        guard requestID != nil else {
            switch response.status {
            // A proxy's own limit (1 MiB by default in nginx) would refuse the whole batch each time.
            case 413: return (.narrow(.tooLarge, byService: false), error)
            // A firewall may refuse a request because of a word in one record.
            case 400, 403, 406, 422: return (.narrow(.rejected, byService: false), error)
            default: break
            }
            return (
                .retry(.failed, after: pause),
                error ?? ServiceError(status: response.status, requestID: nil, location: location, body: response.body)
            )
        }
        guard let error else { return (.delivered, nil) }
        return (self.verdict(on: error, pause: pause), error)
    }

    /// The verdict on an answer of the service that is no success.
    private static func verdict(on error: ServiceError, pause: Duration?) -> Verdict {
        switch error.status {
        case 408, 429, 500...: return .retry(.unavailable, after: pause)
        // It is signed again for the next attempt, with the right time or other credentials.
        case 400...403 where error.isClockError: return .retry(.unavailable, after: pause)
        case 401: return .retry(.unauthorized, after: pause)
        case 404: return .retry(.notFound, after: pause)
        // SLS: an exceeded quota is a 403 (WriteQuotaExceed, ShardWriteQuotaExceed), not a 429.
        case 403 where error.isQuota: return .retry(.throttled, after: pause)
        case 403 where error.isCredentialsError: return .retry(.unauthorized, after: pause)
        // SLS: PostBodyTooLarge comes with 400 by the older documentation, and with 413 by the newer.
        case 413: return .narrow(.tooLarge, byService: true)
        case 400 where error.code == "PostBodyTooLarge": return .narrow(.tooLarge, byService: true)
        case 400 where error.code == "RequestTimeout": return .retry(.unavailable, after: pause)
        // Without a code, the refusal may be temporary, so it is retried as a 401 is.
        case _ where error.code.isEmpty: return .retry(.unauthorized, after: pause)
        // 499 is no status of HTTP's; the service's table of errors has it.
        case 400, 422, 499: return error.isRequestError ? .reject : .narrow(.rejected, byService: true)
        default: return .reject
        }
    }
}
