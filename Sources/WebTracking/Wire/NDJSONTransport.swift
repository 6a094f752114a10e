// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

import WebTrackingPlatform

/// Writes records as lines of JSON to a file or to standard output instead of sending them: for local debugging.
///
/// A line is a record with `__topic__`, `__source__` and `__tags__` beside its fields.
public actor NDJSONTransport: WebTrackingTransport {
    /// `nil` after the shutdown: then the number may belong to another file.
    private var descriptor: Int32?
    private let ownsDescriptor: Bool
    private let thread = WriteThread()

    /// Writes to standard output.
    public init() {
        self.descriptor = STDOUT_FILENO
        self.ownsDescriptor = false
    }

    /// Appends to the file at `path`, which is created, readable by its owner only, if it does not exist.
    ///
    /// Throws ``TransportError/invalidRequest(_:)`` if it cannot be opened, and for a named pipe without a reader: it
    /// does not wait for one.
    public init(path: String) throws {
        // Without O_NONBLOCK, open waits for the reader of a named pipe; with it, it fails with ENXIO (man 7 fifo).
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else {
            let reason = errno == ENXIO ? "it has no reader" : String(cString: strerror(errno))
            throw TransportError.invalidRequest("cannot open \(path): \(reason)")
        }
        // From here on, the writing thread may wait. The flag belongs to this opening, so no other process sees the
        // change.
        let flags = fcntl(descriptor, F_GETFL)
        if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) }
        self.descriptor = descriptor
        self.ownsDescriptor = true
    }

    /// Writes the request's records and answers 200.
    ///
    /// Throws ``TransportError/connectionFailed(_:)`` if they cannot be written, for example on a full disk. Some of
    /// their lines may be there then, and come again. If there is no reader, for example of a full pipe, it waits for
    /// one, or until the task is cancelled. None of Swift's threads waits with it.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        guard let size = request.header("x-log-bodyrawsize").flatMap({ Int($0) }),
            let raw = Compression.decompress(
                request.body,
                headerValue: request.header("x-log-compresstype"),
                rawSize: size
            ),
            let lines = RequestBody.lines(of: raw)
        else { throw TransportError.invalidRequest(RequestBody.problem(with: request)) }
        try await self.write(lines)
        return TransportResponse(status: 200, headers: [("x-log-requestid", "local")])
    }

    /// Closes the file after a write that is in progress.
    public func shutdown() async {
        guard let descriptor = self.descriptor.take(), self.ownsDescriptor else { return }
        await withCheckedContinuation { end in
            let close: @Sendable () -> Void = {
                closeFile(descriptor)
                end.resume()
            }
            if !self.thread.run(close) { close() }
        }
    }

    private func write(_ bytes: [UInt8]) async throws {
        guard let descriptor = self.descriptor else { throw TransportError.connectionFailed("the file is closed") }
        let end = OneShot<(any Error)?>()
        let error = await withTaskCancellationHandler {
            let hasThread = self.thread.run {
                // Do not start a write that no task waits for any more.
                guard !end.isOver else { return }
                let code = bytes.withUnsafeBytes { WriteThread.write($0, to: descriptor) }
                end.set(code.map { TransportError.connectionFailed(String(cString: strerror($0))) })
            }
            if !hasThread { end.set(TransportError.connectionFailed("no thread can be started")) }
            return await end.value
        } onCancel: {
            end.set(CancellationError())
        }
        if let error { throw error }
    }
}

private func closeFile(_ descriptor: CInt) { close(descriptor) }

/// Takes request bodies of this library apart.
enum RequestBody {
    /// Why a request's body cannot be taken apart.
    static func problem(with request: TransportRequest) -> String {
        request.header("Content-Type") == "application/x-protobuf"
            ? "the body is protobuf, since requests are signed; set authentication = .anonymous for this transport"
            : "the body is not one of this library"
    }

    /// One line of JSON for each record: the topic, source and tags of the body, then the record's own fields.
    static func lines(of body: [UInt8]) -> [UInt8]? {
        // Inside a string the quotes would be escaped, so the first match is the member itself.
        let member = Array(",\"__logs__\":[".utf8)
        guard let start = body.firstRange(of: member), body.suffix(2).elementsEqual(Envelope.footer) else { return nil }
        return body.withUnsafeBytes { bytes in
            let opening = UnsafeRawBufferPointer(rebasing: bytes[..<start.lowerBound])
            let records = UnsafeRawBufferPointer(rebasing: bytes[start.upperBound..<(body.count - 2)])
            var writer = ByteWriter(capacity: body.count * 2)
            var position = 0
            while position < records.count, let record = records.baseAddress.map({ $0 + position }) {
                // A line feed stands between two records, behind a comma, and nowhere else.
                let feed = memchr(record, 0x0A, records.count - position)
                let count = feed.map { record.distance(to: $0) - 1 } ?? records.count - position
                writer.append(opening)
                writer.append(UInt8(ascii: ","))
                writer.append(UnsafeRawBufferPointer(start: record + 1, count: max(count - 1, 0)))
                writer.append(UInt8(ascii: "\n"))
                position += count + 2
            }
            return writer.withBytes { Array($0) }
        }
    }
}
