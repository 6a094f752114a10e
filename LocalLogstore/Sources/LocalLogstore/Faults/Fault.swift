// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// Something that goes wrong with a valid request, on purpose.
public enum Fault: Sendable, Equatable {
    /// Nothing is stored; the answer is an error.
    case answer(ServiceError)
    /// Nothing is stored; the connection is reset before there is an answer.
    case resetBeforeStore
    /// The logs are stored; the connection is reset before there is an answer.
    case resetAfterStore
    /// The logs are stored; the answer comes that much later.
    case slow(Duration)
    /// The logs are stored; the connection closes in the middle of the answer.
    case cutReply
    /// Nothing is stored; the answer is a 200 without a request id, as a proxy on the way gives it.
    case withoutRequestID
}

extension Fault {
    /// The kinds that have a name, for the command line.
    public static let kinds: [(name: String, fault: Fault)] = [
        ("500", .answer(.internalError)),
        ("503", .answer(Self.busy)),
        ("429", .answer(ServiceError(status: 429, code: "TooManyRequests", message: "Slow down.", retryAfter: 1))),
        ("quota", .answer(Self.quota("WriteQuotaExceed", "Project write quota exceed: inflow."))),
        ("shard-quota", .answer(Self.quota("ShardWriteQuotaExceed", "Shard write quota exceed."))),
        ("401", .answer(.trackingOff("of this request"))),
        ("404", .answer(.logstoreNotExist("of this request"))),
        ("413", .answer(.bodyTooLarge("The body must not be over 10485760 bytes.", status: 413))),
        ("reset", .resetBeforeStore),
        ("reset-stored", .resetAfterStore),
        ("slow", .slow(.seconds(3))),
        ("cut", .cutReply),
        ("no-id", .withoutRequestID),
    ]

    /// The fault called `name`, or `nil`.
    public static func named(_ name: String) -> Fault? {
        self.kinds.first { $0.name == name }?.fault
    }

    private static let busy = ServiceError(
        status: 503,
        code: "ServerBusy",
        message: "The server is busy.",
        retryAfter: 1
    )

    private static func quota(_ code: String, _ message: String) -> ServiceError {
        ServiceError(status: 403, code: code, message: message)
    }
}
