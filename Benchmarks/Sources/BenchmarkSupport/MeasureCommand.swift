//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

public import ArgumentParser
import ReferenceRecords
public import WebTracking

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Measures one subject under one load and writes what it found, as lines of `name=value`, to a file.
///
/// One process for each measurement: CPU time and peak memory are the process's, and nothing is left of the one before.
public struct MeasureOptions: ParsableArguments {
    enum SubjectName: String, ExpressibleByArgument, CaseIterable {
        case noop, stream, asyncstream, task, counting, http, ndjson
    }

    enum CompressionName: String, ExpressibleByArgument, CaseIterable {
        case none, lz4, deflate
    }

    @Argument var subject: SubjectName
    @Option var output: String
    @Option var record: String = "reference"
    @Option var messageBytes: Int?
    @Option var metadataValues: Int = 0
    @Option var threads: Int = 1
    @Option var topics: Int = 1
    @Option var rate: Int = 0
    @Option var seconds: Double = 1
    @Option var warmUp: Double = 0.2
    @Option var compression: CompressionName = .lz4
    @Option var targetKib: Int?
    @Option var lingerMs: Int?
    @Option var endpoint: String = "http://127.0.0.1:1"
    @Flag var untimed = false
    @Flag var disabled = false

    public init() {}

    /// Does it. `http` makes the transport for requests over HTTP.
    public func run(http: () -> any WebTrackingTransport) async throws {
        let measurement = Measurement(
            subject: try self.makeSubject(http: http),
            workload: try self.workload,
            threads: self.threads,
            topics: self.topics,
            rate: self.rate,
            warmUp: UInt64(self.warmUp * 1e9),
            duration: UInt64(self.seconds * 1e9),
            isTimed: !self.untimed
        )
        let figures = await measurement.run()
        guard let file = fopen(self.output, "w") else { throw ValidationError("cannot write \(self.output)") }
        for (name, value) in figures { fputs("\(name)=\(value)\n", file) }
        fclose(file)
    }

    private var workload: Workload {
        get throws {
            if self.disabled { return .disabled }
            if let bytes = self.messageBytes {
                return .prepared(messageBytes: bytes, metadataValues: self.metadataValues)
            }
            guard let record = ReferenceRecord(rawValue: self.record) else {
                throw ValidationError("no record is called \(self.record)")
            }
            return .reference(record)
        }
    }

    private func makeSubject(http: () -> any WebTrackingTransport) throws -> any Subject {
        switch self.subject {
        case .noop: NoOpSubject()
        case .stream: StreamSubject()
        case .asyncstream: AsyncStreamSubject()
        case .task: TaskSubject()
        case .counting: try ProducerSubject(configuration: self.configuration, transport: CountingTransport())
        case .http: try ProducerSubject(configuration: self.configuration, transport: http())
        case .ndjson:
            try ProducerSubject(configuration: self.configuration, transport: NDJSONTransport(path: "/dev/null"))
        }
    }

    /// The defaults, but for what the options ask for.
    private var configuration: WebTrackingConfiguration {
        var configuration = WebTrackingConfiguration(
            endpoint: self.endpoint,
            project: "benchmark",
            logstore: "benchmark"
        )
        configuration.source = "benchmark"
        switch self.compression {
        case .none: configuration.compression = .none
        case .lz4: configuration.compression = .lz4
        case .deflate: configuration.compression = .deflate()
        }
        if self.topics > 1 { configuration.topic = .label }
        if let kib = self.targetKib { configuration.batching.targetBytes = kib << 10 }
        if let milliseconds = self.lingerMs { configuration.batching.linger = .milliseconds(milliseconds) }
        return configuration
    }
}
