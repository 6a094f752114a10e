// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Something that goes wrong for a while: what, when, and for how many of the requests.
package struct Fault: Sendable {
    package enum Kind: Sendable, Equatable {
        /// Nobody listens; the connection is refused at once.
        case refused
        /// No answer comes; the request may or may not be stored.
        case hang(stores: Bool)
        /// The records are stored, and then the connection breaks.
        case lostAnswer
        /// 500 or 503 from the service.
        case unavailable
        /// 502 with a page of a load balancer.
        case badGateway
        /// 200 from something that is not the service.
        case portal
        /// 401, web tracking is off.
        case unauthorized
        /// 404, no such logstore.
        case notFound
        /// 403 for the project, whatever the shards have left.
        case projectQuota
        /// 503 with a `Retry-After`, in seconds or as a date.
        case retryAfter(Duration, asDate: Bool)
        /// Bodies above this size are too large for the service, in its old form (400) or its new one (413).
        case bodyLimit(Int, status: Int)
        /// Bodies above this size are too large for something in between.
        case proxyLimit(Int)
        /// 400, the request is refused for good.
        case malformed
        /// Answers take so much longer.
        case slow(Duration)
        /// The link of a producer carries so many bytes a second.
        case link(bytesPerSecond: Int)
        /// Requests with one of these records are refused: one record of so many, by the service or by a firewall.
        case poison(modulus: Int, byService: Bool)
        /// 403 with a page of a gateway, whatever is sent.
        case forbidden
    }

    /// Whether the record with this number is poison.
    static func isPoison(record: Int, _ modulus: Int) -> Bool { record % modulus == modulus / 2 }

    package var kind: Kind
    /// From when to when, in the time of the simulation.
    package var window: Range<Duration>
    /// The part of the requests that it hits.
    package var probability: Double

    package init(_ kind: Kind, _ window: Range<Duration>, probability: Double = 1) {
        self.kind = kind
        self.window = window
        self.probability = probability
    }
}
