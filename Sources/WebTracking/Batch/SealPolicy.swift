// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

/// When the records gathered so far become a request.
struct SealPolicy: Sendable {
    /// The size at which a batch is normally sealed, in bytes.
    var targetBytes: Int
    /// The size that no request exceeds, in bytes.
    var maximumBytes: Int
    /// The number of records that no request exceeds.
    var maximumRecords: Int
    /// How long a record waits for company.
    var linger: Duration
    /// Records of this rank and above do not wait.
    var urgentRank: Int

    /// The size at which a batch is sealed while `backlog` sealed ones wait before it.
    ///
    /// A topic that lags behind sends larger requests: fewer round trips for the same records.
    func sizeLimit(backlog: Int) -> Int {
        switch backlog {
        case ..<4: min(self.targetBytes, self.maximumBytes)
        case ..<8: min(self.targetBytes * 4, self.maximumBytes)
        default: self.maximumBytes
        }
    }

    /// Whether a batch of `count` records, `bytes` with one more, has to be sealed before that is added.
    @inline(__always)
    func isFull(count: Int, bytes: Int, backlog: Int) -> Bool {
        count > 0 && (count >= self.maximumRecords || bytes > self.sizeLimit(backlog: backlog))
    }

    /// The memory to ask for so that `needed` bytes fit: twice as much as before, from 4 KiB up to what a batch of the
    /// size limit needs with its marks, if records have 128 bytes or more.
    func capacity(for needed: Int, current: Int, backlog: Int) -> Int {
        let limit = self.sizeLimit(backlog: backlog)
        return max(needed, min(max(current * 2, 4096), limit + limit / 8), min(needed + needed / 8, current * 2))
    }
}
