//===----------------------------------------------------------------------===//
//
// This source file is part of the swift-log-webtracking open source project
//
// Licensed under Apache License v2.0. See LICENSE for license information.
//
// SPDX-License-Identifier: Apache-2.0
//
//===----------------------------------------------------------------------===//

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

    /// Writes to standard output.
    public init() {
        self.descriptor = STDOUT_FILENO
        self.ownsDescriptor = false
    }

    /// Appends to the file at `path`, which is created, readable by its owner only, if it does not exist.
    ///
    /// Throws ``TransportError/invalidRequest(_:)`` if it cannot be opened.
    public init(path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw TransportError.invalidRequest("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        self.descriptor = descriptor
        self.ownsDescriptor = true
    }

    /// Writes the request's records and answers 200.
    ///
    /// Throws ``TransportError/connectionFailed(_:)`` if they cannot be written, as on a full disk; some of their lines may
    /// be there then, and come again.
    public func send(_ request: TransportRequest) async throws -> TransportResponse {
        guard let size = request.header("x-log-bodyrawsize").flatMap({ Int($0) }),
            let raw = Compression.decompress(
                request.body,
                headerValue: request.header("x-log-compresstype"),
                rawSize: size
            ),
            let lines = RequestBody.lines(of: raw)
        else { throw TransportError.invalidRequest(RequestBody.problem(with: request)) }
        try self.write(lines)
        return TransportResponse(status: 200, headers: [("x-log-requestid", "local")])
    }

    /// Closes the file.
    public func shutdown() async {
        if self.ownsDescriptor, let descriptor = self.descriptor { close(descriptor) }
        self.descriptor = nil
    }

    private func write(_ bytes: [UInt8]) throws {
        guard let descriptor = self.descriptor else { throw TransportError.connectionFailed("the file is closed") }
        try bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write_(descriptor, rest)
                guard count >= 0 else {
                    if errno == EINTR { continue }
                    if errno == EAGAIN {
                        // Standard output is a pipe or terminal that somebody has made non-blocking, and is full.
                        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                        poll(&wanted, 1, 100)
                        try Task.checkCancellation()
                        continue
                    }
                    throw TransportError.connectionFailed(String(cString: strerror(errno)))
                }
                rest = rest.dropFirst(count)
            }
        }
    }
}

/// The C function, which a method of this name hides.
private func write_(_ descriptor: Int32, _ bytes: Slice<UnsafeRawBufferPointer>) -> Int {
    let bytes = UnsafeRawBufferPointer(rebasing: bytes)
    return write(descriptor, bytes.baseAddress, bytes.count)
}

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
