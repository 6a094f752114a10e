//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import WebTracking

/// What is known of the deliveries of one topic: the batch that its producer is at, and what the service said last.
struct Lane {
    /// What a producer delivers of that which others left, in whatever topic; no key of a topic is like that.
    static let recovery = "\n\n"

    /// Since when the service has been saying 401 or 404, and when it last did.
    private(set) var refused: (since: Duration, epoch: Int)?
    /// When a single record was last too large, and its size.
    private(set) var tooLarge: (size: Int, epoch: Int)?
    /// The id of the last batch, without the marks of halves, and its records that were acknowledged.
    private var root = ""
    private var owner = 0
    private var isSplit = false
    private var acknowledged: [(owner: Int, number: Int)] = []
    private var lastEpoch = 0

    mutating func began(_ content: RequestContent) {
        let root = content.wholeBatch
        self.isSplit = root != content.batch
        self.owner = content.owner
        guard root != self.root else { return }
        self.root = root
        self.acknowledged = []
    }

    mutating func ended(_ content: RequestContent, _ ending: ExchangeEnding, at now: Duration, epoch: Int) {
        switch ending {
        case .delivered:
            for record in content.records {
                if let number = record.number { self.acknowledged.append((content.owner, number)) }
            }
            self.lastEpoch = epoch
            self.refused = nil
        case .answered(401), .answered(404): self.refused = (self.refused?.since ?? now, epoch)
        case .rejected, .answered(403), .answered(500), .answered(503): self.refused = nil
        case .answered(413), .answered(400):
            if content.records.count == 1 { self.tooLarge = (content.size, epoch) }
        case .answered, .noAnswer, .cancelled: break
        }
    }

    /// The batch that its producer was delivering in parts, and who logged it.
    var split: (owner: Int, batch: String)? { self.isSplit ? (self.owner, self.root) : nil }

    /// What has been delivered of the batch whose parts its producer is at.
    var deliveredParts: [(owner: Int, number: Int)] { self.isSplit ? self.acknowledged : [] }

    /// What its producer has learned to be stored and may still have in its files: a batch's file goes when all parts of it
    /// are settled, which takes tasks that run.
    func unsettled(epoch: Int) -> [(owner: Int, number: Int)] {
        self.isSplit || self.lastEpoch == epoch ? self.acknowledged : []
    }
}
