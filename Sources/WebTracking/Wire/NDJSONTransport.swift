// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Writes records as lines of JSON to a file or to standard output instead of sending them: for local debugging.
///
/// A line is a record with `__topic__`, `__source__` and `__tags__` beside its fields.
public actor NDJSONTransport: WebTrackingTransport {
    /// `nil` after the shutdown: the number may mean somebody else's file then.
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
    /// Throws ``TransportError/invalidRequest(_:)`` if it cannot be opened, and for a named pipe that nobody reads from: it
    /// does not wait for a reader.
    public init(path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else {
            let reason = errno == ENXIO ? "nobody reads from it" : String(cString: strerror(errno))
            throw TransportError.invalidRequest("cannot open \(path): \(reason)")
        }
        // From here on it is the writing thread that waits. The flag is this opening's own.
        let flags = fcntl(descriptor, F_GETFL)
        if flags >= 0 { _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) }
        self.descriptor = descriptor
        self.ownsDescriptor = true
    }

    /// Writes the request's records and answers 200.
    ///
    /// Throws ``TransportError/connectionFailed(_:)`` if they cannot be written, as on a full disk; some of their lines may
    /// be there then, and come again. Where nobody reads them, as from a pipe that is full, it waits until somebody does or
    /// the task is cancelled; no thread of Swift's waits with it.
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

    /// Closes the file, behind a write that is under way.
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
        let attempt = WriteAttempt()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard attempt.begin(continuation) else { return }
                let hasThread = self.thread.run {
                    // What nobody waits for any more is not begun.
                    guard attempt.isWanted else { return }
                    let code = bytes.withUnsafeBytes { WriteThread.write($0, to: descriptor) }
                    attempt.end(code.map { TransportError.connectionFailed(String(cString: strerror($0))) })
                }
                if !hasThread { attempt.end(TransportError.connectionFailed("no thread can be started")) }
            }
        } onCancel: {
            attempt.end(CancellationError())
        }
    }
}

/// One wait for a write, which its end or the cancellation of the task ends.
private final class WriteAttempt: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<Void, any Error>)
        case over
    }

    private let state = Lock(State.new)

    /// Begins to wait; `false` if the wait is over already.
    func begin(_ continuation: CheckedContinuation<Void, any Error>) -> Bool {
        let isNew = self.state.withLock { state -> Bool in
            guard case .new = state else { return false }
            state = .waiting(continuation)
            return true
        }
        if !isNew { continuation.resume(throwing: CancellationError()) }
        return isNew
    }

    var isWanted: Bool {
        self.state.withLock { state in
            if case .waiting = state { true } else { false }
        }
    }

    /// Ends the wait, unless it is over.
    func end(_ error: (any Error)?) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Void, any Error>? in
            defer { state = .over }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        if let error { continuation?.resume(throwing: error) } else { continuation?.resume() }
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
