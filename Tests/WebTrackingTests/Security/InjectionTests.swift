// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import WebTrackingTestKit

@testable import WebTracking

#if SwiftLog
import Logging
#endif

/// No string that is configured or logged gets out of its place: not into a header, a path, another field, a file name or a
/// second line.
@Suite(.timeLimit(.minutes(10))) struct InjectionTests {
    static let hostile = [
        "a\r\nX-Injected: 1", "a\nb", "a\u{0}b", "../../etc/passwd", "a/../b", "a?b=c#d", "%0d%0aX: 1", "a b",
        "\",\"__logs__\":[{\"x\":\"y\"}],\"", "\\", "]}", "\u{1B}[2J\u{9B}31m", "\u{202E}drow", "\u{2028}x\u{85}y",
        "\u{202A}a\u{202C}\u{2066}b\u{2069}\u{200E}\u{200F}\u{61C}\u{2029}c",
    ]

    @Test(arguments: Self.hostile)
    func noConfiguredNameReachesHostOrPath(text: String) {
        for change: (inout WebTrackingConfiguration) -> Void in [
            { $0.project = text }, { $0.logstore = text }, { $0.endpoint = text }, { $0.endpoint = "https://\(text)" },
            { $0.endpoint = "https://logs.example.com/\(text)" }, { $0.project = "project\(text)" },
            { $0.logstore = "logstore\(text)" }, { $0.endpoint = "logs.example.com:\(text)" },
        ] {
            #expect(throws: ConfigurationError.self) { try Rig(configure: change) }
        }
    }

    @Test(arguments: Self.hostile)
    func whatIsLoggedStaysInItsFieldAndReachesNoHeader(text: String) async throws {
        let rig = try Rig { configuration in
            configuration.topic = .metadata(key: "topic", fallback: "")
            // "../../etc/passwd" is the name of a secret, too.
            configuration.redaction = .none
            configuration.source = text
            configuration.tags = ["tag \(text)": text]
            configuration.promotedTags = ["promoted"]
            configuration.compression = .none
        }
        let sink = rig.sink(text)
        sink.error(
            "\(text)",
            error: HostileError(description: text),
            metadata: [
                "topic": .string(text), "promoted": .string(text), "key \(text)": .string(text), "plain": "value",
            ],
            source: text,
            file: text,
            function: text
        )
        await rig.drain()
        let stored = try #require(rig.transport.stored.first)
        let request = stored.request
        #expect(request.url == "https://project.cn-test.log.aliyuncs.com/logstores/logstore/track")
        let names = ["Content-Type", "Accept-Encoding", "x-log-apiversion", "x-log-bodyrawsize"]
        #expect(request.headers.map(\.name) == names)
        #expect(
            request.headers.map(\.value) == ["application/json", "identity", "0.6.0", String(stored.rawBody.count)]
        )
        #expect(stored.topic == text && stored.source == text)
        #expect(stored.tags.filter { $0.key != "__pack_id__" } == ["tag \(text)": text, "promoted": text])
        let log = try #require(stored.logs.first)
        #expect(stored.logs.count == 1)
        for name in ["message", "label", "source", "file", "function", "key \(text)", "error.message"] {
            #expect(log[name] == text)
        }
        #expect(log["plain"] == "value" && log["x"] == nil)
        // A body is one line for each record, and nothing that was logged makes another.
        #expect(stored.rawBody.count { $0 < 0x20 } == 0)
        await rig.stop()
    }

    @Test(arguments: Self.hostile)
    func aDiagnosticIsOneLineWithoutControlCharacters(text: String) throws {
        let response = TransportResponse(
            status: 500,
            headers: [("x-log-requestid", text)],
            body: Array("{\"errorCode\":\"E\",\"errorMessage\":\"\(text)\"}".utf8)
        )
        let error = try #require(ResponseClassifier.classify(response, wallTime: 0).1)
        let diagnostics: [ProducerDiagnostic] = [
            .requestFailed(topic: text, outcome: .failed, failure: .service(error), retryIn: .zero),
            .recordsDropped(topic: text, reason: .rejected, count: 1, failure: .noAnswer(text)),
            .recordRefused(
                topic: text,
                reason: .rejected,
                record: RefusedRecord(
                    Array("{\"label\":\"\(text)\",\"seq\":\"\(text)\"}".utf8),
                    rank: 3,
                    fields: FieldMapping()
                ),
                failure: .noAnswer(text)
            ), .spoolUnavailable(directory: text, reason: text), .spoolAvailable(directory: text),
            .spoolFailed(directory: text, reason: text),
            .spoolSyncSlow(directory: text, took: .zero, interval: .zero),
            .spoolDamaged(file: text, reason: text), .spoolRecovered(directory: text, records: 1, files: 1),
        ]
        let limiter = DiagnosticLimiter(clock: ManualClock(wallTime: Rig.start))
        for diagnostic in diagnostics {
            let line = try #require(limiter.line(for: diagnostic))
            #expect(line.hasPrefix("webtracking: ") && line.last == "\n")
            for text in [String(line.dropLast()), "\(diagnostic)"] {
                #expect(!text.unicodeScalars.contains { $0.properties.generalCategory == .control })
                #expect(!text.unicodeScalars.contains { $0.properties.isBidiControl })
                #expect(!text.contains { $0 == "\u{2028}" || $0 == "\u{2029}" })
            }
        }
    }

    @Test(arguments: Self.hostile)
    func noTopicOrNameReachesAFileNameOfTheSpool(text: String) async throws {
        let directory = SpoolDirectory()
        let rig = try SpoolTests.rig(directory, transport: InMemoryTransport(otherwise: .never)) {
            $0.topic = .label
            $0.tags = ["t": text]
        }
        rig.sink(text).info("\(text)")
        await rig.producer.shutdown(timeout: .zero)
        let file = try #require(directory.files.first)
        let parts = file.dropFirst(directory.path.count).split(separator: "/")
        #expect(parts.count == 2)
        let isPlain = parts.joined().utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x2E
        }
        #expect(isPlain)
        let next = try await SpoolTests.recover(1, from: directory)
        #expect(next.transport.stored.first?.topic == String(text.prefix(utf8Bytes: 128)))
        await next.stop()
    }

    private struct HostileError: Error, CustomStringConvertible {
        let description: String
    }
}
