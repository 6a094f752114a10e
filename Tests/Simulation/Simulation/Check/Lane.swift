// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

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
    /// The same of the batch before it, if something in between has refused a record of that alone: it may be in flight still.
    private var asideRoot: (owner: Int, batch: String)?
    private var asideAcknowledged: [(owner: Int, number: Int)] = []
    private var hasAside = false
    private var lastEpoch = 0
    /// The last request, if it timed out.
    private var timedOut: (root: String, bytes: Int)?

    mutating func began(_ content: RequestContent) throws {
        let root = content.wholeBatch
        if let last = self.timedOut, last.root == root, content.records.count > 1, content.wireSize * 2 > last.bytes {
            throw Violation("sends \(content.wireSize) bytes after \(last.bytes) have timed out")
        }
        if root == self.asideRoot?.batch {
            // The record that stood aside is asked for again.
            swap(&self.acknowledged, &self.asideAcknowledged)
            self.asideRoot = (self.owner, self.root)
            self.root = root
        } else if root != self.root {
            self.asideRoot = self.hasAside ? (self.owner, self.root) : nil
            self.asideAcknowledged = self.hasAside ? self.acknowledged : []
            self.hasAside = false
            self.root = root
            self.acknowledged = []
        }
        self.isSplit = root != content.batch
        self.owner = content.owner
    }

    mutating func ended(_ content: RequestContent, _ ending: ExchangeEnding, at now: Duration, epoch: Int) {
        switch ending {
        case .answered(400, byService: false), .answered(403, byService: false), .answered(413, byService: false):
            if content.records.count == 1 { self.hasAside = true }
        default: break
        }
        self.timedOut = ending == .timedOut ? (content.wholeBatch, content.wireSize) : nil
        switch ending {
        case .delivered:
            for record in content.records {
                if let number = record.number { self.acknowledged.append((content.owner, number)) }
            }
            self.lastEpoch = epoch
            self.refused = nil
        case .answered(401, _), .answered(404, _): self.refused = (self.refused?.since ?? now, epoch)
        case .rejected, .answered(403, byService: true), .answered(500, _), .answered(503, _): self.refused = nil
        case .answered(413, _), .answered(400, _):
            if content.records.count == 1 { self.tooLarge = (content.size, epoch) }
        case .answered, .noAnswer, .timedOut, .cancelled: break
        }
    }

    /// The batches that its producer was delivering in parts, and who logged them.
    var split: [(owner: Int, batch: String)] {
        (self.isSplit ? [(self.owner, self.root)] : []) + (self.asideRoot.map { [$0] } ?? [])
    }

    /// What has been delivered of the batches whose parts its producer is at.
    var deliveredParts: [(owner: Int, number: Int)] {
        (self.isSplit ? self.acknowledged : []) + self.asideAcknowledged
    }

    /// What its producer has learned to be stored and may still have in its files: a batch's file goes when all parts of it
    /// are settled, which takes tasks that run.
    func unsettled(epoch: Int) -> [(owner: Int, number: Int)] {
        (self.isSplit || self.lastEpoch == epoch ? self.acknowledged : []) + self.asideAcknowledged
    }
}
