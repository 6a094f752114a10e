// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

private import CZlib

/// zlib streams (RFC 1950) through zlib: what the service calls `deflate`.
enum ZlibStream {
    /// `raw` as a stream that is smaller than it, or `nil`.
    static func compress(_ raw: UnsafeRawBufferPointer, level: Int) -> [UInt8]? {
        let capacity = raw.count - 1
        guard capacity > 0 else { return nil }
        var status = Z_OK
        let stream = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            // A target smaller than the input: the call fails where nothing is won.
            var size = uLongf(capacity)
            status = raw.withMemoryRebound(to: UInt8.self) {
                compress2(target.baseAddress, &size, $0.baseAddress, uLong($0.count), Int32(level))
            }
            count = status == Z_OK ? Int(size) : 0
        }
        return status == Z_OK ? stream : nil
    }

    /// The bytes of a stream that holds exactly `rawSize` of them, or `nil`.
    static func decompress(_ stream: [UInt8], rawSize: Int) -> [UInt8]? {
        guard rawSize >= 0 else { return nil }
        var status = Z_OK
        let raw = [UInt8](unsafeUninitializedCapacity: rawSize + 1) { target, count in
            var size = uLongf(rawSize + 1)
            status = uncompress(target.baseAddress, &size, stream, uLong(stream.count))
            count = status == Z_OK ? Int(size) : 0
        }
        return status == Z_OK && raw.count == rawSize ? raw : nil
    }

    /// The beginning of what a gzip file or a zlib stream holds, as far as it can be read and at most `limit` bytes; `nil`
    /// for bytes of which nothing can be read so.
    static func beginning(of stream: [UInt8], limit: Int) -> [UInt8]? {
        guard stream.count > 2, limit > 0 else { return nil }
        let isGzip = stream[0] == 0x1F && stream[1] == 0x8B
        let isZlib = stream[0] & 0x0F == 8 && (Int(stream[0]) << 8 | Int(stream[1])) % 31 == 0
        guard isGzip || isZlib else { return nil }
        var state = z_stream()
        // A window of any size, and the format that the bytes say.
        guard inflateInit2_(&state, 15 + 32, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
        defer { inflateEnd(&state) }
        var stream = stream
        let beginning = stream.withUnsafeMutableBufferPointer { source in
            [UInt8](unsafeUninitializedCapacity: limit) { target, count in
                state.next_in = source.baseAddress
                state.avail_in = uInt(source.count)
                state.next_out = target.baseAddress
                state.avail_out = uInt(limit)
                _ = inflate(&state, Z_SYNC_FLUSH)
                count = limit - Int(state.avail_out)
            }
        }
        // Two bytes of a text may look like the beginning of a stream.
        return beginning.isEmpty ? nil : beginning
    }
}
