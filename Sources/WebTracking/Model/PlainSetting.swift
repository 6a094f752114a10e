// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// A setting that is a number, a duration, a text or a flag. It is printed, read and checked by its key, range and place in
/// these lists.
enum PlainSetting: Sendable {
    typealias Named = (key: String, setting: PlainSetting)
    typealias Path<Value> = any WritableKeyPath<WebTrackingConfiguration, Value> & Sendable

    case number(Path<Int>, ClosedRange<Int>)
    /// Without a range, it is checked with others.
    case seconds(Path<Duration>, ClosedRange<Duration>?)
    case text(Path<String>)
    case flag(Path<Bool>)

    private static let week = 7 * 86_400

    static let batching: [Named] = [
        ("batching.targetBytes", .number(\.batching.targetBytes, (4 << 10)...(10 << 20))),
        ("batching.maximumRequestBytes", .number(\.batching.maximumRequestBytes, (64 << 10)...(10 << 20))),
        ("batching.maximumRecords", .number(\.batching.maximumRecords, 1...4096)),
        ("batching.lingerSeconds", .seconds(\.batching.linger, .zero ... .seconds(3600))),
    ]

    static let delivery: [Named] = [
        ("delivery.maximumConcurrentRequests", .number(\.delivery.maximumConcurrentRequests, 1...1024)),
        ("delivery.requestTimeoutSeconds", .seconds(\.delivery.requestTimeout, .milliseconds(100) ... .seconds(600))),
        ("delivery.initialBackoffSeconds", .seconds(\.delivery.initialBackoff, nil)),
        ("delivery.maximumBackoffSeconds", .seconds(\.delivery.maximumBackoff, nil)),
        ("delivery.initialQuotaBackoffSeconds", .seconds(\.delivery.initialQuotaBackoff, nil)),
        ("delivery.maximumQuotaBackoffSeconds", .seconds(\.delivery.maximumQuotaBackoff, nil)),
        ("delivery.initialRefusalBackoffSeconds", .seconds(\.delivery.initialRefusalBackoff, nil)),
        ("delivery.maximumRefusalBackoffSeconds", .seconds(\.delivery.maximumRefusalBackoff, nil)),
        ("delivery.refusalPatienceSeconds", .seconds(\.delivery.refusalPatience, .zero ... .seconds(week))),
        ("delivery.maximumAgeSeconds", .seconds(\.delivery.maximumAge, .seconds(1) ... .seconds(week))),
        ("delivery.shutdownTimeoutSeconds", .seconds(\.delivery.shutdownTimeout, .zero ... .seconds(3600))),
    ]

    static let limits: [Named] = [
        ("limits.maximumValueBytes", .number(\.limits.maximumValueBytes, 256...(1 << 20))),
        ("limits.maximumRecordBytes", .number(\.limits.maximumRecordBytes, (32 << 10)...(10 << 20))),
        ("limits.maximumNesting", .number(\.limits.maximumNesting, 0...32)),
    ]

    static let fields: [Named] = [
        ("fields.time", .text(\.fields.time)),
        ("fields.level", .text(\.fields.level)),
        ("fields.label", .text(\.fields.label)),
        ("fields.message", .text(\.fields.message)),
        ("fields.source", .text(\.fields.source)),
        ("fields.file", .text(\.fields.file)),
        ("fields.function", .text(\.fields.function)),
        ("fields.line", .text(\.fields.line)),
        ("fields.sequence", .text(\.fields.sequence)),
        ("fields.errorType", .text(\.fields.errorType)),
        ("fields.errorMessage", .text(\.fields.errorMessage)),
        ("fields.includesCodeLocation", .flag(\.fields.includesCodeLocation)),
        ("fields.includesSequence", .flag(\.fields.includesSequence)),
        ("fields.includesBatchID", .flag(\.fields.includesBatchID)),
    ]
}
