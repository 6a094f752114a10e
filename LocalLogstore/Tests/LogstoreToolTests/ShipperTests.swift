// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Testing
import WebTracking

@testable import LogstoreTool

@Suite("Shipping", .timeLimit(.minutes(5)))
struct ShipperTests {
    private struct RefusingTransport: WebTrackingTransport {
        func send(_ request: TransportRequest) async throws -> TransportResponse {
            throw TransportError.connectionFailed("nobody there")
        }
    }

    /// How many records `text` gives if it comes through a pipe that stays open, and the reader is stopped once there
    /// are `first`.
    private func records(
        of text: String,
        format: TextFormat = .ndjson,
        rate: Double? = nil,
        stoppedAfter first: Int
    ) async throws -> Int {
        let pipe = Pipe()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        try pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        let producer = try WebTrackingProducer(
            configuration: WebTrackingConfiguration(
                endpoint: "http://127.0.0.1:1",
                project: "local",
                logstore: "app"
            ),
            transport: RefusingTransport(),
            diagnostics: .none,
            clock: EventClock()
        )
        let progress = SendProgress(totalBytes: nil)
        let reader = Task { () -> Bool in
            var shipper = Shipper(
                producer: producer,
                mapper: RecordMapper(format: format, level: .info, messageLimit: 100_000),
                rate: rate,
                patience: .seconds(600),
                progress: progress
            )
            do {
                try await shipper.ship(InputReader(path: path))
                return false
            } catch {
                return error is CancellationError
            }
        }
        while progress.snapshot.records < first { try await Task.sleep(for: .milliseconds(5)) }
        progress.stop()
        reader.cancel()
        #expect(await reader.value)
        await producer.shutdown(timeout: .zero)
        // It is open until here.
        try pipe.fileHandleForWriting.close()
        return progress.snapshot.records
    }

    @Test("What was read of a followed input is shipped when it is stopped: a piece, and a line without its end")
    func shipsWhatItHolds() async throws {
        let piece = String(repeating: "x", count: 16_384)
        #expect(
            try await self.records(
                of: "one\n" + #"{"log":"\#(piece)","stream":"stdout","time":"2026-01-02T03:04:05Z"}"# + "\n",
                stoppedAfter: 1
            ) == 2
        )
        #expect(
            try await self.records(
                of: "one\n2026-01-02T03:04:05Z stdout P a\n2026-01-02T03:04:05Z stderr P b\nhalf a l",
                stoppedAfter: 1
            ) == 4
        )
        #expect(try await self.records(of: "{\n}\n{\n \"a\":", stoppedAfter: 1) == 2)
        #expect(try await self.records(of: "one\ntw", format: .text, stoppedAfter: 1) == 2)
    }

    @Test("A reader that waits for its turn is stopped at once, and ships no line anew, but the pieces that it holds")
    func stopsBetweenRecords() async throws {
        let lines = [
            "2026-01-02T03:04:05Z stdout F one", "2026-01-02T03:04:05Z stdout P piece",
            "2026-01-02T03:04:05Z stderr F two", "2026-01-02T03:04:05Z stderr F three",
        ]
        #expect(try await self.records(of: lines.joined(separator: "\n") + "\n", rate: 0.001, stoppedAfter: 1) == 2)
    }
}
