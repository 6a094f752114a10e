// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

private import CLZ4
private import CZlib

extension Compression {
    /// `raw` compressed; `nil` if that would not make it smaller, or if the compressor gets no memory.
    package func compress(_ raw: UnsafeRawBufferPointer) -> [UInt8]? {
        switch self {
        case .lz4: LZ4Block.compress(raw)
        case .deflate(let level): ZlibStream.compress(raw, level: level)
        case .none: nil
        }
    }

    /// Decompresses `body`, with the compression that the header names; `nil` if that does not give exactly `rawSize`
    /// bytes.
    package static func decompress(_ body: [UInt8], headerValue: String?, rawSize: Int) -> [UInt8]? {
        switch headerValue {
        case nil: body.count == rawSize ? body : nil
        case "lz4": LZ4Block.decompress(body, rawSize: rawSize)
        case "deflate": ZlibStream.decompress(body, rawSize: rawSize)
        default: nil
        }
    }
}

/// Raw LZ4 blocks through liblz4: no frame, no size prefix, no checksum.
enum LZ4Block {
    /// `raw` as a block that is smaller than it, or `nil`.
    static func compress(_ raw: UnsafeRawBufferPointer) -> [UInt8]? {
        // With a target smaller than the input, liblz4 stops as soon as the result would not be smaller.
        let capacity = raw.count - 1
        guard capacity > 0, capacity < Int(LZ4_MAX_INPUT_SIZE) else { return nil }
        let block = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            count = target.withMemoryRebound(to: CChar.self) { target in
                raw.withMemoryRebound(to: CChar.self) { source in
                    Int(
                        LZ4_compress_default(
                            source.baseAddress,
                            target.baseAddress,
                            Int32(source.count),
                            Int32(target.count)
                        )
                    )
                }
            }
        }
        return block.isEmpty ? nil : block
    }

    /// The bytes of a block that holds exactly `rawSize` of them, or `nil`.
    static func decompress(_ block: [UInt8], rawSize: Int) -> [UInt8]? {
        guard rawSize >= 0, rawSize < Int(LZ4_MAX_INPUT_SIZE), block.count < Int(LZ4_MAX_INPUT_SIZE) else { return nil }
        var result: Int32 = -1
        let raw = [UInt8](unsafeUninitializedCapacity: rawSize + 1) { target, count in
            result = block.withUnsafeBytes { source in
                target.withMemoryRebound(to: CChar.self) { target in
                    source.withMemoryRebound(to: CChar.self) { source in
                        LZ4_decompress_safe(
                            source.baseAddress,
                            target.baseAddress,
                            Int32(source.count),
                            Int32(rawSize)
                        )
                    }
                }
            }
            count = max(Int(result), 0)
        }
        return Int(result) == rawSize ? raw : nil
    }
}

/// zlib streams (RFC 1950) through zlib: what the service calls `deflate`.
enum ZlibStream {
    /// `raw` as a stream that is smaller than it, or `nil`.
    static func compress(_ raw: UnsafeRawBufferPointer, level: Int) -> [UInt8]? {
        let capacity = raw.count - 1
        guard capacity > 0 else { return nil }
        var status = Z_OK
        let stream = [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
            // A target smaller than the input: the call fails if the result would not be smaller.
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

    /// The first bytes, at most `limit`, of what a gzip file or a zlib stream holds; `nil` if none can be read.
    static func beginning(of stream: [UInt8], limit: Int) -> [UInt8]? {
        guard stream.count > 2, limit > 0 else { return nil }
        let isGzip = stream[0] == 0x1F && stream[1] == 0x8B
        let isZlib = stream[0] & 0x0F == 8 && (Int(stream[0]) << 8 | Int(stream[1])) % 31 == 0
        guard isGzip || isZlib else { return nil }
        var state = z_stream()
        // zlib.h: 15 takes windows of any size, 32 finds out the format, zlib or gzip. `inflateInit2` is a macro of
        // zlib.h, which Swift does not import. This is what it calls.
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
        // A text may begin with two bytes that look like the beginning of a stream.
        return beginning.isEmpty ? nil : beginning
    }
}
