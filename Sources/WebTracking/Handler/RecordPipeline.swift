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
    func log(_ event: LogEvent, from handler: borrowing WebTrackingLogHandler) {
        // The time first: the server knows only when it received the record.
        let time = self.clock.wallTime()
        let provided = handler.metadataProvider?.get()
        var input = RecordEncoder.Input(
            event: event,
            time: time,
            handlerFields: handler.fields,
            handlerMetadata: handler.metadata,
            provided: provided
        )
        let label = handler.label
        var fixedRoute = handler.route
        EncoderScratch.withCurrent { scratch in
            while true {
                let route =
                    fixedRoute
                    ?? self.router.route(label: label) { key in
                        input.event.metadata?[key] ?? input.provided?[key] ?? input.handlerMetadata[key]
                    }
                input.unpromoted = route.unpromoted
                self.encoder.encode(input, into: scratch)
                scratch.repairs += route.repairs
                let answer = scratch.writer.withBytes {
                    route.buffer.append($0, rank: event.level.rank, repairs: scratch.repairs)
                }
                // A retired buffer is no longer in the table, so the next look finds or makes another.
                guard answer == .retired else { return }
                fixedRoute = nil
                scratch.writer.truncate(to: 0)
                scratch.repairs = RepairCounts()
            }
        }
    }

    /// Encodes a record that tells how many records were dropped, by reason and level.
    func announcement(of drops: DropCounts) -> SyntheticRecord {
        var metadata: LogMetadata = ["dropped.total": .string(String(drops.total))]
        for reason in DropReason.allCases {
            for (level, count) in drops[reason].byLevel {
                metadata["dropped.\(reason.rawValue).\(level.rawValue)"] = .string(String(count))
            }
        }
        let input = RecordEncoder.Input(
            event: LogEvent(
                level: .warning,
                message: "\(drops.total) records of this topic were dropped",
                metadata: metadata,
                source: "WebTracking",
                file: #fileID,
                function: #function,
                line: #line
            ),
            time: self.clock.wallTime(),
            handlerFields: HandlerFields(label: "webtracking", metadata: [:], encoder: self.encoder),
            handlerMetadata: [:],
            provided: nil
        )
        return EncoderScratch.withCurrent { scratch in
            self.encoder.encode(input, into: scratch)
            return SyntheticRecord(members: scratch.writer.withBytes { Array($0) }, rank: LogLevel.warning.rank)
        }
    }
}
