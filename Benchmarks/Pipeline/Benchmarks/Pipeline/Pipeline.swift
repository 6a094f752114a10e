// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Benchmark
import Logging
import ReferenceRecords
import WebTracking

/// Bytes of JSON a second, of the two halves of the library's work, for each reference record:
///
/// - *encode*: from `logger.info` to encoded bytes in a batch, on the calling thread, the front end included;
/// - *send*: from a batch in memory to a transport that takes everything at once: sealed, compressed, answered, settled.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .custom("MB/s", polarity: .prefersLarger)],
        warmupIterations: 10,
        maxDuration: .seconds(1),
        maxIterations: 100_000
    )
    for record in ReferenceRecord.allCases {
        Benchmark("encode/\(record.rawValue)") { benchmark in
            try await measure(benchmark, record, compression: .none, what: .encode)
        }
    }
    for (name, compression) in [("none", Compression.none), ("lz4", .lz4), ("deflate", .deflate())] {
        Benchmark("send/\(name)") { benchmark in
            try await measure(benchmark, .reference, compression: compression, what: .send)
        }
    }
}

private enum Half { case encode, send }

/// Fills one batch and sends it, in each iteration; measures one of the two.
private func measure(
    _ benchmark: Benchmark,
    _ record: ReferenceRecord,
    compression: Compression,
    what: Half
) async throws {
    var configuration = WebTrackingConfiguration(
        endpoint: "http://127.0.0.1",
        project: "benchmark",
        logstore: "pipeline"
    )
    configuration.source = "benchmark"
    configuration.compression = compression
    configuration.batching.linger = .seconds(3600)
    let producer = try WebTrackingProducer(
        configuration: configuration,
        transport: CountingTransport(),
        diagnostics: .none
    )
    let logger = Logger(label: "shop.orders") { producer.makeLogHandler(label: $0) }
    // About 250 of the 256 KiB that a batch has.
    let count = [ReferenceRecord.short: 1000, .reference: 590, .wide: 350, .large: 23][record] ?? 1
    let clock = ContinuousClock()
    for _ in benchmark.scaledIterations {
        let before = producer.statistics.rawBytes
        let start = clock.now
        if what == .encode { benchmark.startMeasurement() }
        for index in 0..<count { record.log(index, to: logger) }
        if what == .encode { benchmark.stopMeasurement() }
        let encoded = clock.now
        if what == .send { benchmark.startMeasurement() }
        await producer.flush(timeout: .seconds(60))
        if what == .send { benchmark.stopMeasurement() }
        let sent = clock.now
        let duration = what == .encode ? encoded - start : sent - encoded
        let bytes = Double(producer.statistics.rawBytes - before)
        benchmark.measurement(.custom("MB/s", polarity: .prefersLarger), Int(bytes / (duration / .microseconds(1))))
    }
    await producer.shutdown(timeout: .seconds(10))
}
