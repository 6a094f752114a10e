//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

#if SwiftLog
import Logging
#endif

/// The way of a record on its caller's thread: find the topic's buffer, encode, hand over.
final class RecordPipeline: Sendable {
    let router: TopicRouter
    let encoder: RecordEncoder
    let clock: any ProducerClock

    init(router: TopicRouter, encoder: RecordEncoder, clock: any ProducerClock) {
        self.router = router
        self.encoder = encoder
        self.clock = clock
    }

    /// Takes one event of a handler.
    @inline(__always)
    func log(_ event: LogEvent, from handler: borrowing WebTrackingLogHandler) {
        // The time first: the server knows only when it received the record.
        let time = self.clock.wallTime()
        let provided = handler.metadataProvider?.get()
        EncoderScratch.withCurrent { scratch in
            if let route = handler.route {
                if self.log(event, time: time, from: handler, provided: provided, route, &scratch) { return }
            }
            self.logByMetadata(event, time: time, from: handler, provided: provided, &scratch)
        }
    }

    /// Finds the buffer of one event, whose topic depends on its metadata or whose handler's buffer is retired.
    @inline(never)
    private func logByMetadata(
        _ event: LogEvent,
        time: Int64,
        from handler: borrowing WebTrackingLogHandler,
        provided: LogMetadata?,
        _ scratch: inout EncoderScratch
    ) {
        let metadata = handler.metadata
        // A retired buffer is no longer in the table, so the next look finds or makes another.
        while true {
            let route = self.router.route(label: handler.label) { key in
                event.metadata?[key] ?? provided?[key] ?? metadata[key]
            }
            if self.log(event, time: time, from: handler, provided: provided, route, &scratch) { return }
        }
    }

    /// Encodes an event and puts it into the route's buffer; `false` if that is retired.
    @inline(__always)
    private func log(
        _ event: LogEvent,
        time: Int64,
        from handler: borrowing WebTrackingLogHandler,
        provided: LogMetadata?,
        _ route: TopicRouter.Route,
        _ scratch: inout EncoderScratch
    ) -> Bool {
        self.encoder.encode(
            event,
            time: time,
            handler: handler.encoded,
            provided: provided,
            unpromoted: route.unpromoted,
            into: &scratch
        )
        scratch.repairs += route.repairs
        let repairs = scratch.repairs
        let answer = scratch.writer.withBytes {
            route.buffer.append($0, rank: event.level.rank, repairs: repairs)
        }
        guard answer == .retired else { return true }
        scratch.writer.truncate(to: 0)
        scratch.repairs = RepairCounts()
        return false
    }

    /// Encodes a record that tells how many records were dropped, by reason and level.
    func announcement(of drops: DropCounts) -> SyntheticRecord {
        var metadata: LogMetadata = ["dropped.total": .string(String(drops.total))]
        for reason in DropReason.allCases {
            for (level, count) in drops[reason].byLevel {
                metadata["dropped.\(reason.rawValue).\(level.rawValue)"] = .string(String(count))
            }
        }
        let event = LogEvent(
            level: .warning,
            message: "\(drops.total) records of this topic were dropped",
            metadata: metadata,
            source: "WebTracking",
            file: #fileID,
            function: #function,
            line: #line
        )
        return EncoderScratch.withCurrent { scratch in
            self.encoder.encode(
                event,
                time: self.clock.wallTime(),
                handler: self.encoder.handler(label: "webtracking", metadata: [:]),
                provided: nil,
                unpromoted: .none,
                into: &scratch
            )
            return SyntheticRecord(members: scratch.writer.withBytes { Array($0) }, rank: LogLevel.warning.rank)
        }
    }
}
