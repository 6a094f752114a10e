//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

import Logging
import Synchronization

/// Where the peers' records end: an actor that encodes them into batches and drops each full batch, as if it were sent
/// at no cost.
actor PeerExporter {
    private var batch: [UInt8] = []
    private nonisolated let exported = Atomic<Int>(0)
    private nonisolated let logged = Atomic<Int>(0)

    func append(_ record: PeerRecord) {
        record.encode(to: &self.batch)
        if self.batch.count >= 256 << 10 { self.batch.removeAll(keepingCapacity: true) }
        self.exported.add(1, ordering: .releasing)
    }

    /// To be called for each record before it is handed over.
    nonisolated func count() {
        self.logged.add(1, ordering: .relaxed)
    }

    /// Records that were handed over and are not encoded yet.
    nonisolated var pending: Int {
        let exported = self.exported.load(ordering: .acquiring)
        return self.logged.load(ordering: .relaxed) - exported
    }

    nonisolated func drain() async {
        while self.pending > 0 { try? await Task.sleep(for: .milliseconds(1)) }
    }
}

/// The shape of swift-otel and swift-log-loki: every record is yielded to an `AsyncStream`, whose one consumer hands it to
/// an actor.
struct AsyncStreamSubject: Subject {
    private let exporter: PeerExporter
    private let continuation: AsyncStream<PeerRecord>.Continuation
    private let consumer: Task<Void, Never>

    init() {
        let exporter = PeerExporter()
        let (stream, continuation) = AsyncStream.makeStream(of: PeerRecord.self)
        self.exporter = exporter
        self.continuation = continuation
        self.consumer = Task.detached {
            for await record in stream { await exporter.append(record) }
        }
    }

    func makeLogger(label: String) -> Logger {
        Logger(label: label) { PeerLogHandler(label: $0, handOver: self.handOver) }
    }

    private func handOver(_ record: PeerRecord) {
        self.exporter.count()
        self.continuation.yield(record)
    }

    // A record with its dictionary is about a KiB.
    var pendingBytes: Int { self.exporter.pending << 10 }
    func drain() async { await self.exporter.drain() }

    func stop() async {
        self.continuation.finish()
        await self.consumer.value
    }
}

/// The shape of swift-log-datadog and google-cloud-logging-swift: a task for every record.
struct TaskSubject: Subject {
    private let exporter = PeerExporter()

    func makeLogger(label: String) -> Logger {
        Logger(label: label) { PeerLogHandler(label: $0, handOver: self.handOver) }
    }

    private func handOver(_ record: PeerRecord) {
        self.exporter.count()
        Task { await self.exporter.append(record) }
    }

    var pendingBytes: Int { self.exporter.pending << 10 }
    func drain() async { await self.exporter.drain() }
}

/// Makes a record of every event and hands it over.
private struct PeerLogHandler: LogHandler {
    let label: String
    let handOver: @Sendable (PeerRecord) -> Void
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(label: String, handOver: @escaping @Sendable (PeerRecord) -> Void) {
        self.label = label
        self.handOver = handOver
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        self.handOver(
            PeerRecord(event, label: self.label, metadata: self.metadata, provider: self.metadataProvider)
        )
    }
}
