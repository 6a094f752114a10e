// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if SwiftLog
import Logging
#endif

/// The way of a record on its caller's thread: check the policy, find the topic's queue, encode, append.
final class RecordPipeline: Sendable {
    let router: TopicRouter
    let encoder: RecordEncoder
    let policy: LivePolicy
    let levels: LogLevelTable
    let clock: any ProducerClock
    /// The number of forks for which the pipeline was made.
    private let forks = ForkCount.current
    /// The counts of records that are logged at another number of forks.
    let forked = ForkedRecords()
    /// Reports the first of those records, on the thread that logs.
    private let reportForked: @Sendable () -> Void
    /// For the library's own records: pseudonyms of numbers would be useless, and no function of the user's is called
    /// under a topic's lock.
    private let unredacted = Redactor(.none, count: RedactionCount())

    init(
        router: TopicRouter,
        encoder: RecordEncoder,
        policy: LivePolicy,
        levels: LogLevelTable,
        clock: any ProducerClock,
        reportForked: @escaping @Sendable () -> Void
    ) {
        self.reportForked = reportForked
        self.router = router
        self.encoder = encoder
        self.policy = policy
        self.levels = levels
        self.clock = clock
    }

    /// Whether this process is a child of the pipeline's process (`fork`) that runs the same program, so it must not
    /// use the pipeline.
    @inline(__always)
    var isForked: Bool { ForkCount.isOther(than: self.forks) }

    @inline(never)
    private func dropForked(_ rank: Int) {
        if self.forked.countOne(rank) { self.reportForked() }
    }

    /// The fields that a handler adds to its events.
    func handlerFields(_ metadata: LogMetadata) -> HandlerFields {
        // A description that is asked for here may set metadata in turn. Deep inside none is: the general mapping does.
        EncoderScratch.nest { depth in
            self.policy.with { policy in
                HandlerFields(
                    metadata: metadata,
                    encoder: self.encoder,
                    redactor: policy.redactor,
                    isReady: depth < Self.deepest
                )
            }
        }
    }

    /// The largest nesting at which records still call the user's functions.
    static let deepest = 2

    /// Takes one event of a handler.
    @inline(__always)
    func log(_ event: LogEvent, from handler: borrowing WebTrackingLogHandler) {
        // Before any lock: a thread that does not exist here may hold it.
        guard !self.isForked else { return self.dropForked(event.level.rank) }
        // Read the time first: the server only knows when it received the record.
        let time = self.clock.wallTime()
        self.policy.with { policy in
            if let sampler = policy.sampler, !self.isKept(event, time: time, label: handler.label, sampler) { return }
            EncoderScratch.withCurrent { scratch in
                let provided = handler.metadataProvider?.get()
                if let route = handler.route {
                    self.encoder.encode(
                        event,
                        time: time,
                        handler: handler.encoded,
                        provided: provided,
                        unpromoted: .none,
                        redactor: policy.redactor,
                        into: &scratch
                    )
                    if self.append(rank: event.level.rank, to: route, policy, &scratch) { return }
                    self.appendToNewBatch(rank: event.level.rank, label: handler.label, policy, &scratch)
                } else {
                    self.logByMetadata(event, time: time, from: handler, provided: provided, policy, &scratch)
                }
            } nested: { depth, scratch in
                self.logNested(event, depth: depth, time: time, from: handler, policy, &scratch)
            }
        }
    }

    /// Logs an event that a metadata provider, a description or a redaction function has logged while it computed a
    /// part of another one. It is encoded without the provider, which might log for ever. If it is nested deeper, it is
    /// encoded without any user function.
    @inline(never)
    private func logNested(
        _ event: LogEvent,
        depth: Int,
        time: Int64,
        from handler: borrowing WebTrackingLogHandler,
        _ policy: RecordPolicy,
        _ scratch: inout EncoderScratch
    ) {
        var event = event
        var handler = copy handler
        var repairs = RepairCounts()
        if handler.metadataProvider != nil { repairs[.nested] = 1 }
        if depth >= Self.deepest {
            if event.metadata?.isEmpty == false || event.error != nil || !handler.metadata.isEmpty {
                repairs[.nested] = 1
            }
            event.metadata = nil
            event.error = nil
            handler.leaveOutMetadata()
        }
        self.logByMetadata(event, time: time, from: handler, provided: nil, repairs: repairs, policy, &scratch)
    }

    /// Finds the queue of one event. Its topic or tags may depend on its metadata.
    @inline(never)
    private func logByMetadata(
        _ event: LogEvent,
        time: Int64,
        from handler: borrowing WebTrackingLogHandler,
        provided: LogMetadata?,
        repairs: RepairCounts = RepairCounts(),
        _ policy: RecordPolicy,
        _ scratch: inout EncoderScratch
    ) {
        let metadata = handler.metadata
        // A value that was redacted for the topic is the same among the fields, if it stays there.
        var redacted: [String: RedactedValue] = [:]
        var encoded: RecordEncoder.Unpromoted?
        // A retired queue is no longer in the table, so the next look-up finds or makes another one.
        while true {
            let route = self.router.route(label: handler.label, repairs) { key in
                if let known = redacted[key] { return known.value }
                guard let value = event.metadata?[key] ?? provided?[key] ?? metadata[key] else { return nil }
                let result = policy.redactor.redacted(key, value, nesting: self.encoder.limits.nesting)
                redacted[key] = result
                return result.value
            }
            if encoded != route.unpromoted {
                scratch.restart()
                self.encoder.encode(
                    event,
                    time: time,
                    handler: handler.encoded,
                    provided: provided,
                    unpromoted: route.unpromoted,
                    redacted: redacted,
                    redactor: policy.redactor,
                    into: &scratch
                )
                for (key, value) in redacted where !route.unpromoted.contains(key) {
                    scratch.redactions += value.redactions
                }
                encoded = route.unpromoted
            }
            if self.append(rank: event.level.rank, to: route, policy, &scratch) { return }
        }
    }

    /// Finds a queue for a record if its own topic had no place in the table. The record's text does not change.
    @inline(never)
    private func appendToNewBatch(
        rank: Int,
        label: String,
        _ policy: RecordPolicy,
        _ scratch: inout EncoderScratch
    ) {
        while true {
            let route = self.router.route(label: label) { _ in nil }
            if self.append(rank: rank, to: route, policy, &scratch) { return }
        }
    }

    /// Appends an encoded event to the route's queue. Returns `false` if that is retired, and there is no room for its
    /// topic.
    @inline(__always)
    private func append(
        rank: Int,
        to route: TopicRouter.Route,
        _ policy: RecordPolicy,
        _ scratch: inout EncoderScratch
    ) -> Bool {
        guard route.repairs.isEmpty else { return self.appendRepaired(rank: rank, to: route, policy, &scratch) }
        return self.put(rank: rank, into: route, policy, &scratch)
    }

    /// The same for a route that was repaired. The record's own repairs stay apart: its next route may be another one.
    @inline(never)
    private func appendRepaired(
        rank: Int,
        to route: TopicRouter.Route,
        _ policy: RecordPolicy,
        _ scratch: inout EncoderScratch
    ) -> Bool {
        let own = scratch.repairs
        scratch.repairs += route.repairs
        defer { scratch.repairs = own }
        return self.put(rank: rank, into: route, policy, &scratch)
    }

    @inline(__always)
    private func put(
        rank: Int,
        into route: TopicRouter.Route,
        _ policy: RecordPolicy,
        _ scratch: inout EncoderScratch
    ) -> Bool {
        // Once more: a metadata provider, a description or a redaction function may have called `fork`, and the place in a
        // file that the child would claim is its parent's, too.
        guard !self.isForked else {
            self.dropForked(rank)
            return true
        }
        let comparedFrom = policy.sampler?.suppressesRepeats(rank) ?? false ? self.encoder.endOfTime : nil
        guard self.offer(rank: rank, comparedFrom: comparedFrom, to: route, &scratch) else {
            return self.putIntoRetired(rank: rank, comparedFrom: comparedFrom, route, policy, &scratch)
        }
        // Once for each record, however often it is written before it finds its place.
        if scratch.redactions > 0 { policy.redactor.count(scratch.redactions) }
        return true
    }

    /// Appends an encoded record to a queue that was retired, as its topic was idle. Returns `false` if there is no room
    /// for the topic.
    @inline(never)
    private func putIntoRetired(
        rank: Int,
        comparedFrom: Int?,
        _ route: TopicRouter.Route,
        _ policy: RecordPolicy,
        _ scratch: inout EncoderScratch
    ) -> Bool {
        while self.router.table.revive(route.queue) {
            guard self.offer(rank: rank, comparedFrom: comparedFrom, to: route, &scratch) else { continue }
            policy.redactor.count(scratch.redactions)
            return true
        }
        return false
    }

    /// Offers the encoded record to a queue. Returns `false` if that is retired; the number that was drawn is kept.
    @inline(__always)
    private func offer(
        rank: Int,
        comparedFrom: Int?,
        to route: TopicRouter.Route,
        _ scratch: inout EncoderScratch
    ) -> Bool {
        let (repairs, number) = (scratch.repairs, scratch.number)
        let answer = scratch.writer.withBytes {
            route.queue.append(
                $0,
                rank: rank,
                repairs: repairs,
                number: number,
                comparedFrom: comparedFrom,
                isSynthetic: false
            )
        }
        guard case .retired(let drawn) = answer else { return true }
        scratch.number = drawn
        return false
    }

    // MARK: What is left out

    @inline(never)
    private func isKept(_ event: LogEvent, time: Int64, label: String, _ sampler: Sampler) -> Bool {
        let (isKept, report) = sampler.offer(event, label: label, time: time)
        if let report { self.report(report, by: sampler) }
        return isKept
    }

    /// Reports what `sampler` has left out: in seconds that are over, or, with `all`, until now.
    func reportLeftOut(by sampler: Sampler, all: Bool) {
        for report in sampler.takeReports(at: self.clock.wallTime(), all: all) { self.report(report, by: sampler) }
    }

    private func report(_ report: Sampler.Report, by sampler: Sampler) {
        let summary = report.summary
        let record = self.synthetic(
            LogEvent(
                level: LogLevel.ranked[report.site.rank],
                message: "\(summary.leftOut) of \(summary.offered) records of this statement were left out",
                metadata: [
                    "sampling.left_out": .string(String(summary.leftOut)),
                    "sampling.offered": .string(String(summary.offered)),
                ],
                source: nil,
                file: report.site.file,
                function: report.function,
                line: report.site.line
            ),
            label: report.label
        )
        // The metadata of the records left out is not known.
        let queue =
            self.router.fixedRoute(label: report.label)?.queue
            ?? self.router.route(label: report.label, value: { _ in nil }).queue
        if !self.append(record, to: queue) { sampler.restore(report, at: self.clock.wallTime()) }
    }

    // MARK: Records of the library's own

    /// Encodes a record that reports drops, by reason and level.
    func announcement(of drops: DropCounts) -> SyntheticRecord {
        let total = drops.sum.total
        var metadata: LogMetadata = ["dropped.total": .string(String(total))]
        for reason in DropReason.allCases {
            for (level, count) in drops[reason].byLevel {
                metadata["dropped.\(reason.rawValue).\(level.rawValue)"] = .string(String(count))
            }
        }
        return self.own(.warning, "\(total) records of this topic were dropped", metadata)
    }

    /// Encodes a record that reports how often the one before it was repeated.
    func repetition(of last: RepeatedRecord) -> SyntheticRecord {
        var metadata: LogMetadata = ["repeated.count": .string(String(last.repeats))]
        if let sequence = last.sequence { metadata["repeated.seq"] = .string(String(sequence)) }
        let message = "the record before this one came \(last.repeats) more times"
        return self.own(LogLevel.ranked[last.rank], message, metadata)
    }

    private func own(
        _ level: LogLevel,
        _ message: String,
        _ metadata: LogMetadata,
        function: String = #function,
        line: UInt = #line
    ) -> SyntheticRecord {
        let event = LogEvent(
            level: level,
            message: "\(message)",
            metadata: metadata,
            source: "WebTracking",
            file: #fileID,
            function: function,
            line: line
        )
        return self.synthetic(event, label: "webtracking")
    }

    /// Sends a record that tells of a process that ended without a stop; one for each of its producers. Returns whether it
    /// was accepted.
    func tell(of exit: UnexpectedExit) -> Bool {
        var metadata: LogMetadata = [
            "exit.pid": .string(String(exit.process.pid)), "exit.host": .string(exit.process.host),
            "exit.started": .string(Self.text(of: exit.startedAt)), "exit.recovered": .string(String(exit.recovered)),
        ]
        if let last = exit.lastRecordAt { metadata["exit.last_record"] = .string(Self.text(of: last)) }
        let message = "a producer of process \(exit.process.pid) on \(exit.process.host) ended without a stop"
        let table = self.router.table
        return self.append(
            self.own(.error, message, metadata),
            to: table.queue(for: TopicKey(topic: exit.topic)) ?? table.baseQueue
        )
    }

    /// Appends a record of the library's own to a queue of its table, or to the base topic's. Returns whether it was accepted.
    private func append(_ record: SyntheticRecord, to queue: any RecordQueue) -> Bool {
        let table = self.router.table
        var answer = queue.append(record)
        if case .retired = answer { answer = (table.revive(queue) ? queue : table.baseQueue).append(record) }
        return answer == .accepted
    }

    private static func text(of time: Int64) -> String {
        var formatter = TimestampFormatter()
        var writer = ByteWriter()
        formatter.append(time, to: &writer)
        return writer.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func synthetic(_ event: LogEvent, label: String) -> SyntheticRecord {
        func encode(_ scratch: inout EncoderScratch) -> SyntheticRecord {
            self.encoder.encode(
                event,
                time: self.clock.wallTime(),
                handler: self.encoder.handler(label: label, metadata: [:], redactor: self.unredacted),
                provided: nil,
                unpromoted: .none,
                redactor: self.unredacted,
                into: &scratch
            )
            return SyntheticRecord(members: scratch.writer.withBytes { Array($0) }, rank: event.level.rank)
        }
        return EncoderScratch.withCurrent(encode, nested: { encode(&$1) })
    }
}
