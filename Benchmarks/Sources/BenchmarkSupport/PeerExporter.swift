// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import WebTracking

/// Where the peers' records end: an actor that encodes them into batches. A full batch is sent, one after another, or
/// dropped, as if it were sent at no cost.
actor PeerExporter {
    private let sender: PeerSender?
    private var batch: [UInt8] = []
    private var count = 0
    /// The requests so far, each of which waits for the one before it.
    private var requests: Task<Void, Never>?
    private nonisolated let logged = Atomic<Int>(0)
    private nonisolated let done = Atomic<Int>(0)
    private nonisolated let failed = Atomic<Int>(0)
    private nonisolated let rawBytes = Atomic<Int>(0)
    private nonisolated let wireBytes = Atomic<Int>(0)

    init(sender: PeerSender? = nil) {
        self.sender = sender
    }

    func append(_ record: PeerRecord) {
        record.encode(to: &self.batch)
        self.count += 1
        if self.batch.count >= 256 << 10 { self.export() }
        if self.sender == nil { self.done.add(1, ordering: .releasing) }
    }

    private func export() {
        guard self.count > 0 else { return }
        guard let sender = self.sender else {
            self.batch.removeAll(keepingCapacity: true)
            self.count = 0
            return
        }
        let (batch, count, before) = (self.batch, self.count, self.requests)
        self.batch = []
        self.batch.reserveCapacity(260 << 10)
        self.count = 0
        self.requests = Task {
            await before?.value
            if let sent = await sender.send(batch) {
                self.rawBytes.add(sent.raw, ordering: .relaxed)
                self.wireBytes.add(sent.wire, ordering: .relaxed)
            } else {
                self.failed.add(count, ordering: .relaxed)
            }
            self.done.add(count, ordering: .releasing)
        }
    }

    /// To be called for each record before it is handed over.
    nonisolated func count(_ records: Int = 1) {
        self.logged.add(records, ordering: .relaxed)
    }

    /// Records that were handed over and are not where they were to go.
    nonisolated var pending: Int {
        let done = self.done.load(ordering: .acquiring)
        return self.logged.load(ordering: .relaxed) - done
    }

    nonisolated var counts: [(name: String, value: Double)] {
        let failed = self.failed.load(ordering: .relaxed)
        let delivered = self.done.load(ordering: .acquiring) - failed
        let perLog = 1 / Double(max(delivered, 1))
        return [
            ("accepted", Double(self.logged.load(ordering: .relaxed))),
            ("delivered", Double(delivered)),
            ("dropped", Double(failed)),
            ("raw_bytes_per_log", Double(self.rawBytes.load(ordering: .relaxed)) * perLog),
            ("wire_bytes_per_log", Double(self.wireBytes.load(ordering: .relaxed)) * perLog),
        ]
    }

    /// Waits until all is where it was to go; what does not fill a batch is sent as soon as nothing else comes.
    func drain() async {
        while self.pending > 0 {
            if self.pending == self.count { self.export() }
            try? await Task.sleep(for: .milliseconds(1))
        }
    }

    func stop() async {
        await self.sender?.transport.shutdown()
    }
}
