// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Logging
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
        case asyncstreamHTTP = "asyncstream-http"
        case taskHTTP = "task-http"
    }

    enum CompressionName: String, ExpressibleByArgument, CaseIterable {
        case none, lz4, deflate
    }

    enum RedactionName: String, ExpressibleByArgument, CaseIterable {
        case none, standard
    }

    /// Which share of the records of a level below `error` sampling lets through.
    enum SamplingName: String, ExpressibleByArgument, CaseIterable {
        case off, all, some
    }

    @Argument var subject: SubjectName
    @Option var output: String
    @Option var record: String = "reference"
    @Option var messageBytes: Int?
    @Option var metadataValues: Int = 0
    @Option var keptDictionaries: Int?
    @Option var threads: Int = 1
    @Option var topics: Int = 1
    @Option var rate: Int = 0
    @Option var seconds: Double = 1
    @Option var warmUp: Double = 0.2
    @Option var compression: CompressionName = .lz4
    @Option var redaction = RedactionName.standard
    @Option var sampling = SamplingName.off
    @Flag var folding = false
    @Option var lingerMs: Int?
    @Option var spool: String?
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
            if let count = self.keptDictionaries {
                guard count > 0 else { throw ValidationError("no dictionary is to be kept") }
                return .kept(KeptDictionaries(count: count))
            }
            if let bytes = self.messageBytes {
                return .prepared(messageBytes: bytes, metadataValues: self.metadataValues)
            }
            guard let workload = Workload.named(self.record) else {
                throw ValidationError("no record is called \(self.record)")
            }
            return workload
        }
    }

    private func makeSubject(http: () -> any WebTrackingTransport) throws -> any Subject {
        switch self.subject {
        case .noop: NoOpSubject()
        case .stream: StreamSubject()
        case .asyncstream: AsyncStreamSubject(exporter: PeerExporter())
        case .task: TaskSubject(exporter: PeerExporter())
        case .asyncstreamHTTP: AsyncStreamSubject(exporter: try self.makeExporter(http()))
        case .taskHTTP: TaskSubject(exporter: try self.makeExporter(http()))
        case .counting: try ProducerSubject(configuration: self.configuration, transport: CountingTransport())
        case .http: try ProducerSubject(configuration: self.configuration, transport: http())
        case .ndjson:
            try ProducerSubject(configuration: self.configuration, transport: NDJSONTransport(path: "/dev/null"))
        }
    }

    private func makeExporter(_ transport: any WebTrackingTransport) throws -> PeerExporter {
        guard let port = self.endpoint.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw ValidationError("no port in \(self.endpoint)")
        }
        return PeerExporter(sender: PeerSender(transport: transport, port: port))
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
        switch self.redaction {
        case .none: configuration.redaction = .none
        case .standard: configuration.redaction = .standard
        }
        switch self.sampling {
        case .off: break
        case .all: configuration.sampling.rates = Sampling.Rate.below(.error, .init(first: 1_000_000, thenOneIn: 1))
        case .some: configuration.sampling.rates = Sampling.Rate.below(.error, .init(first: 100, thenOneIn: 100))
        }
        if self.folding { configuration.sampling.suppressedRepeats = [.debug, .info, .notice, .warning] }
        if self.topics > 1 { configuration.topic = .label }
        if let directory = self.spool {
            configuration.durability = .process
            configuration.spool.directory = directory
        }
        if let milliseconds = self.lingerMs { configuration.batching.linger = .milliseconds(milliseconds) }
        return configuration
    }
}
