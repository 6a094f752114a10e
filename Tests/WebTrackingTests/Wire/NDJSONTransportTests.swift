// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Foundation
import Testing
import WebTracking
import WebTrackingPlatform
import WebTrackingTestKit

#if SwiftLog
import Logging
#endif

@Suite(.timeLimit(.minutes(10))) struct NDJSONTransportTests {
    @Test(arguments: [Compression.lz4, .deflate(), .none])
    func writesALineForEachRecordInOrder(_ compression: Compression) async throws {
        let file = TemporaryFile()
        let producer = try Self.producer(NDJSONTransport(path: file.path), compression: compression)
        let sink = producer.makeLogHandler(label: "orders")
        for number in 1...250 { sink.info("line \n\(number) \"__logs__\":[", metadata: ["number": "\(number)"]) }
        await producer.shutdown(timeout: .seconds(60))
        #expect(producer.statistics.delivered == 250)

        let lines = try file.lines()
        #expect(lines.count == 250)
        for (index, line) in lines.enumerated() {
            #expect(line["number"] == .string("\(index + 1)"))
            #expect(line["message"] == .string("line \n\(index + 1) \"__logs__\":["))
            #expect(line["label"] == .string("orders"))
            #expect(line["__topic__"] == .string("shop"))
            #expect(line["__source__"] == .string("host"))
            #expect(line["__tags__"] == .object(["env": .string("test")]))
        }
    }

    @Test func appendsToAFileThatIsThere() async throws {
        let file = TemporaryFile()
        for text in ["first", "second"] {
            let producer = try Self.producer(NDJSONTransport(path: file.path))
            producer.makeLogHandler(label: "label").info("\(text)")
            await producer.shutdown(timeout: .seconds(60))
        }
        let messages = try file.lines().map { $0["message"] }
        #expect(messages == [.string("first"), .string("second")])
    }

    @Test func makesAFileForItsOwnerOnly() async throws {
        let file = TemporaryFile()
        let transport = try NDJSONTransport(path: file.path)
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        await transport.shutdown()
    }

    @Test func refusesAPathThatCannotBeOpened() {
        #expect {
            try NDJSONTransport(path: "/no/such/directory/log.ndjson")
        } throws: { error in
            guard case TransportError.invalidRequest(let reason) = error else { return false }
            return reason.contains("/no/such/directory/log.ndjson")
        }
    }

    @Test func refusesAPipeThatNobodyReadsInsteadOfWaitingForAReader() {
        let file = TemporaryFile()
        #expect(mkfifo(file.path, 0o600) == 0)
        let problem = Recorder<String>()
        let hasEnded = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            do { _ = try NDJSONTransport(path: file.path) } catch { problem.add("\(error)") }
            hasEnded.signal()
        }
        let isStuck = hasEnded.wait(timeout: .now() + 10) == .timedOut
        #expect(!isStuck)
        if isStuck {
            let reader = open(file.path, O_RDONLY | O_NONBLOCK)
            hasEnded.wait()
            close(reader)
        }
        #expect(problem.elements.count == 1)
        #expect(problem.elements.first?.contains("\(file.path): it has no reader") == true)
    }

    @Test func waitsForTheReaderOfAPipeThatIsFull() async throws {
        let file = TemporaryFile()
        #expect(mkfifo(file.path, 0o600) == 0)
        let reader = open(file.path, O_RDONLY | O_NONBLOCK)
        let producer = try Self.producer(NDJSONTransport(path: file.path))
        let sink = producer.makeLogHandler(label: "label")
        let padding = String(repeating: "x", count: 1000)
        // More than a pipe holds.
        for number in 0..<500 { sink.info("\(number) \(padding)") }
        #expect(fcntl(reader, F_SETFL, 0) == 0)
        async let bytes = withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var bytes = 0
                var chunk = [UInt8](repeating: 0, count: 4096)
                while case let count = read(reader, &chunk, chunk.count), count > 0 { bytes += count }
                close(reader)
                continuation.resume(returning: bytes)
            }
        }
        await producer.shutdown(timeout: .seconds(60))
        #expect(producer.statistics.delivered == 500 && producer.statistics.retries == 0)
        #expect(await bytes > 500 * 1000)
    }

    @Test func refusesABodyThatIsNotOfThisLibrary() async throws {
        let file = TemporaryFile()
        let transport = try NDJSONTransport(path: file.path)
        let request = Self.request(body: Array("{}".utf8))
        var bare = request
        bare.headers = []
        for request in [request, bare] {
            await #expect(throws: TransportError.self) { try await transport.send(request) }
        }
        #expect(try file.lines().isEmpty)
        await transport.shutdown()
    }

    @Test func writesNothingAfterShutdown() async throws {
        let file = TemporaryFile()
        let transport = try NDJSONTransport(path: file.path)
        await transport.shutdown()
        await transport.shutdown()
        let request = Self.request(body: Array("{\"__topic__\":\"\",\"__logs__\":[{\"a\":\"b\"}]}".utf8))
        await #expect(throws: TransportError.connectionFailed("the file is closed")) {
            try await transport.send(request)
        }
    }

    #if os(Linux)
    @Test func saysWhenNothingCanBeWritten() async throws {
        let failures = Recorder<ProducerDiagnostic>()
        let producer = try Self.producer(
            NDJSONTransport(path: "/dev/full"),
            diagnostics: DiagnosticHandler { failures.add($0) }
        )
        producer.makeLogHandler(label: "label").info("m")
        await producer.flush(timeout: .seconds(1))
        await producer.shutdown(timeout: .milliseconds(1))
        let requests = producer.statistics.requests
        #expect(requests.values.reduce(0, +) > 0)
        #expect(producer.statistics.delivered == 0)
    }
    #endif

    private static func request(body: [UInt8]) -> TransportRequest {
        TransportRequest(
            isSecure: true,
            host: "host",
            port: nil,
            path: "/",
            headers: [(name: "x-log-bodyrawsize", value: String(body.count))],
            body: body,
            timeout: .seconds(1)
        )
    }

    private static func producer(
        _ transport: NDJSONTransport,
        compression: Compression = .lz4,
        diagnostics: DiagnosticHandler = .standardError
    ) throws -> WebTrackingProducer {
        var configuration = WebTrackingConfiguration(endpoint: "cn-test", project: "project", logstore: "logstore")
        configuration.source = "host"
        configuration.tags = ["env": "test"]
        configuration.fields.includesBatchID = false
        configuration.topic = .fixed("shop")
        configuration.compression = compression
        configuration.batching.maximumRecords = 100
        return try WebTrackingProducer(configuration: configuration, transport: transport, diagnostics: diagnostics)
    }
}

private struct Unexpected: Error {
    var what: String
}

/// A file that is not there yet, and is deleted in the end.
private final class TemporaryFile: Sendable {
    let path = NSTemporaryDirectory() + "webtracking-\(UUID().uuidString).ndjson"

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    func lines() throws -> [[String: Value]] {
        let data = try Data(contentsOf: URL(fileURLWithPath: self.path))
        #expect(data.isEmpty || data.last == UInt8(ascii: "\n"))
        return try data.split(separator: UInt8(ascii: "\n")).map { line in
            guard case .object(let members) = try Value(JSONValue.parse(Array(line))) else {
                throw Unexpected(what: "a line is no object")
            }
            return members
        }
    }

    /// What lines are made of, comparable.
    enum Value: Equatable {
        case string(String)
        case object([String: Value])

        init(_ json: JSONValue) throws {
            switch json {
            case .string(let text):
                self = .string(text)
            case .object(let members):
                self = .object(
                    try Dictionary(
                        members.map { ($0.name, try Value($0.value)) },
                        uniquingKeysWith: { _, _ in throw Unexpected(what: "a member twice") }
                    )
                )
            default:
                throw Unexpected(what: "neither a string nor an object")
            }
        }
    }
}
