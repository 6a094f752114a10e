// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Logging

/// The shape of swift-otel and swift-log-loki: every record is yielded to an `AsyncStream`, whose one consumer hands it
/// to an actor.
struct AsyncStreamSubject: Subject {
    private let exporter: PeerExporter
    private let continuation: AsyncStream<PeerRecord>.Continuation
    private let consumer: Task<Void, Never>

    init(exporter: PeerExporter) {
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
    var counts: [(name: String, value: Double)] { self.exporter.counts }
    func drain() async { await self.exporter.drain() }

    func stop() async {
        self.continuation.finish()
        await self.consumer.value
        await self.exporter.stop()
    }
}

/// The shape of swift-log-datadog and google-cloud-logging-swift: a task for every record.
struct TaskSubject: Subject {
    let exporter: PeerExporter

    func makeLogger(label: String) -> Logger {
        Logger(label: label) { PeerLogHandler(label: $0, handOver: self.handOver) }
    }

    private func handOver(_ record: PeerRecord) {
        self.exporter.count()
        Task { await self.exporter.append(record) }
    }

    var pendingBytes: Int { self.exporter.pending << 10 }
    var counts: [(name: String, value: Double)] { self.exporter.counts }
    func drain() async { await self.exporter.drain() }
    func stop() async { await self.exporter.stop() }
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
